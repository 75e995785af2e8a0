// SPDX-License-Identifier: BSD-3-Clause
#include "options/lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace wirespool::options {
namespace {

constexpr unsigned largest_number =
    65535;  // of a number and of a list's length: "0-4000000000" must not become a list that long

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
