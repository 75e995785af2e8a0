// SPDX-License-Identifier: BSD-3-Clause
#include "options/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace wirespool::options {

namespace {

struct Unit {
  std::string_view name;  // lower case
  std::uint64_t factor;
};

constexpr auto size_units = std::to_array<Unit>({{"", 1},
                                                 {"b", 1},
                                                 {"k", 1'000},
                                                 {"kb", 1'000},
                                                 {"m", 1'000'000},
                                                 {"mb", 1'000'000},
                                                 {"g", 1'000'000'000},
                                                 {"gb", 1'000'000'000},
                                                 {"t", 1'000'000'000'000},
                                                 {"tb", 1'000'000'000'000},
                                                 {"kib", 1ull << 10},
                                                 {"mib", 1ull << 20},
                                                 {"gib", 1ull << 30},
                                                 {"tib", 1ull << 40}});

constexpr auto rate_units =
    std::to_array<Unit>({{"", 1}, {"k", 1'000}, {"m", 1'000'000}, {"g", 1'000'000'000}, {"t", 1'000'000'000'000}});

constexpr auto time_units = std::to_array<Unit>({{"", 1'000'000'000},
                                                 {"ns", 1},
                                                 {"us", 1'000},
                                                 {"ms", 1'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"h", 3'600'000'000'000}});

constexpr std::string_view size_forms =
    "write bytes, or a number with K, M, G, T (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024), as in 1.5GiB";
constexpr std::string_view rate_forms =
    "write how many a second, or a number with K, M, G, T (powers of 1000), as in 500 or 2.5M";
constexpr std::string_view time_forms =
    "write seconds, or a number with ns, us, ms, s, m (minutes) or h, as in 250ms or 1.5h";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Longest prefix of digits, cut off `text`.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

enum class Refusal { junk, too_large };

// The largest values the program computes with: they are signed, and times are added to any clock's now.
constexpr std::uint64_t largest_size = (1ull << 63) - 1;
constexpr std::uint64_t longest_time = 1'000'000 * 3'600'000'000'000ull;  // 1000000h, 114 years

// whole * factor + 0.fraction * factor, to the nearest one.
std::expected<std::uint64_t, Refusal> scale(std::string_view whole, std::string_view fraction, std::uint64_t factor) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (read.ec != std::errc{} || __builtin_mul_overflow(value, factor, &value))
    return std::unexpected(Refusal::too_large);
  long double part = 0, weight = 0.1L;
  for (const char digit : fraction) {
    part += weight * static_cast<long double>(digit - '0');
    weight /= 10;
  }
  const auto rest = static_cast<std::uint64_t>(std::llround(part * static_cast<long double>(factor)));
  if (__builtin_add_overflow(value, rest, &value)) return std::unexpected(Refusal::too_large);
  return value;
}

std::expected<std::uint64_t, Refusal> parse_number_with_unit(std::string_view text, std::span<const Unit> units,
                                                             std::uint64_t largest) {
  const auto whole = take_digits(text);
  std::string_view fraction;
  if (whole.empty()) return std::unexpected(Refusal::junk);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
    if (fraction.empty()) return std::unexpected(Refusal::junk);
  }
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto unit = std::ranges::find(units, lower(text), &Unit::name);
  if (unit == units.end()) return std::unexpected(Refusal::junk);
  const auto value = scale(whole, fraction, unit->factor);
  if (value && *value > largest) return std::unexpected(Refusal::too_large);
  return value;
}

std::string explain(std::string_view text, std::string_view what, Refusal refusal, std::string_view forms) {
  if (refusal == Refusal::too_large) return fmt::format("\"{}\" is too large for a {}", text, what);
  return fmt::format("\"{}\" is not a {}: {}", text, what, forms);
}

constexpr auto binary_units =
    std::to_array<Unit>({{"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}});

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto value = parse_number_with_unit(text, size_units, largest_size);
  if (!value) return std::unexpected(explain(text, "size", value.error(), size_forms));
  return *value;
}

std::expected<std::uint64_t, std::string> parse_rate(std::string_view text) {
  const auto value = parse_number_with_unit(text, rate_units, largest_size);
  if (!value) return std::unexpected(explain(text, "rate", value.error(), rate_forms));
  return *value;
}

std::expected<policy::Share, std::string> parse_share(std::string_view text) {
  if (!text.ends_with('%')) {
    const auto bytes = parse_size(text);
    if (!bytes) return std::unexpected(bytes.error());
    return policy::Share{0, *bytes};
  }
  unsigned percent = 0;
  const auto* const end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data(), end, percent);
  if (parsed.ec != std::errc{} || parsed.ptr != end || percent < 1 || percent > 99)
    return std::unexpected(fmt::format("\"{}\" is not 1% to 99%", text));
  return policy::Share{percent, 0};
}

std::string format_share(const policy::Share& share) {
  if (share.percent != 0) return fmt::format("{}%", share.percent);
  const auto text = format_size(share.bytes);
  return parse_size(text) == share.bytes ? text : fmt::format("{}", share.bytes);
}

std::expected<std::uint64_t, std::string> parse_time(std::string_view text) {
  const auto value = parse_number_with_unit(text, time_units, longest_time);
  if (!value) return std::unexpected(explain(text, "time", value.error(), time_forms));
  return *value;
}

std::string format_size(std::uint64_t bytes) {
  const auto unit =
      std::find_if(binary_units.rbegin(), binary_units.rend(), [&](const Unit& u) { return bytes >= u.factor; });
  if (unit == binary_units.rend()) return fmt::format("{}", bytes);
  if (bytes % unit->factor == 0) return fmt::format("{}{}", bytes / unit->factor, unit->name);
  return fmt::format("{:.1f}{}", static_cast<double>(bytes) / static_cast<double>(unit->factor), unit->name);
}

std::string format_time(std::uint64_t ns) {
  constexpr auto units = std::to_array<Unit>({{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000}});
  // "60s" and "90s" are written, not "1m" and "1.5m".
  const auto fits = [&](const Unit& u) { return ns >= (u.name == "m" ? 2 : 1) * u.factor && ns % u.factor == 0; };
  const auto unit = std::find_if(units.rbegin(), units.rend(), fits);
  if (unit == units.rend()) return "0s";
  return fmt::format("{}{}", ns / unit->factor, unit->name);
}

std::string format_rate(std::uint64_t per_second) {
  constexpr auto units = std::to_array<Unit>({{"", 1}, {"K", 1'000}, {"M", 1'000'000}, {"G", 1'000'000'000}});
  const auto unit = std::find_if(units.rbegin(), units.rend(),
                                 [&](const Unit& u) { return per_second >= u.factor && per_second % u.factor == 0; });
  if (unit == units.rend()) return "0";
  return fmt::format("{}{}", per_second / unit->factor, unit->name);
}

std::string group_digits(std::uint64_t number) {
  auto text = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

namespace {

constexpr unsigned largest_number =
    65535;  // of the numbers, and so of a list's length: "0-4000000000" must not become a list

std::optional<unsigned> parse_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > largest_number) return std::nullopt;
  return number;
}

bool append_part(std::vector<unsigned>& numbers, std::string_view part) {
  const auto dash = part.find('-');
  const auto first = parse_number(part.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_number(part.substr(dash + 1));
  if (!first || !last || *last < *first || numbers.size() > largest_number) return false;
  for (unsigned n = *first; n <= *last; ++n) numbers.push_back(n);
  return true;
}

}  // namespace

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto comma = std::min(text.find(',', start), text.size());
    parts.emplace_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

std::expected<std::vector<unsigned>, std::string> parse_number_list(std::string_view text) {
  std::vector<unsigned> numbers;
  bool good = !text.empty();
  for (const auto& part : split_commas(text)) good = good && append_part(numbers, part);
  if (!good) return std::unexpected(fmt::format("\"{}\" is not a list: write numbers and ranges, as in 1,3-5", text));
  return numbers;
}

std::string format_number_list(std::span<const unsigned> numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += fmt::format("{}", numbers[i]);
    if (last > i) text += fmt::format("{}{}", last == i + 1 ? ',' : '-', numbers[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace wirespool::options
