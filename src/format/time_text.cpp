// SPDX-License-Identifier: BSD-3-Clause
// All text of times: as people and JSON have it (wirespool/time_text.hpp), and as file names do (file_name.hpp).
#include "wirespool/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "format/file_name.hpp"

namespace wirespool {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t latest = std::numeric_limits<std::uint64_t>::max();

constexpr const char* accepted =
    "give RFC 3339 as 2026-11-21T07:54:30.5Z, seconds since the epoch as 1795247670.5, or a time before now as -10m";

struct Calendar {
  int year;
  unsigned month, day, hour, minute, second;
};

Calendar calendar(Timestamp time) {
  using namespace std::chrono;
  const seconds since_epoch{static_cast<seconds::rep>(time.ns / second)};
  const auto days_since = floor<days>(since_epoch);
  const year_month_day date{sys_days{days_since}};
  const hh_mm_ss clock{since_epoch - days_since};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count())};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes text apart from its front; anything unexpected makes the whole of it wrong.
class Text {
 public:
  explicit Text(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool take(char c) {
    if (front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_any(std::string_view choices) {
    if (rest_.empty() || choices.find(front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  // Exactly `digits` of them.
  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits || !std::ranges::all_of(rest_.substr(0, digits), is_digit)) return std::nullopt;
    int value = 0;
    std::from_chars(rest_.data(), rest_.data() + digits, value);
    rest_.remove_prefix(digits);
    return value;
  }

  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // ".5" of `whole`; digits beyond the ninth do not count. An absent fraction is zero.
  std::optional<std::uint64_t> fraction(std::uint64_t whole) {
    if (!take('.')) return 0;
    if (!is_digit(front())) return std::nullopt;
    std::uint64_t billionths = 0, place = second / 10;
    for (; is_digit(front()); rest_.remove_prefix(1), place /= 10)
      billionths += place * static_cast<std::uint64_t>(front() - '0');
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{billionths} * whole / second);
  }

 private:
  std::string_view rest_;
};

std::optional<std::uint64_t> scaled(std::uint64_t whole, std::uint64_t unit, std::uint64_t fraction) {
  std::uint64_t ns = 0;
  if (__builtin_mul_overflow(whole, unit, &ns) || __builtin_add_overflow(ns, fraction, &ns)) return std::nullopt;
  return ns;
}

std::optional<Timestamp> parse_epoch(Text text) {
  const auto seconds = text.number();
  const auto fraction = text.fraction(second);
  if (!seconds || !fraction || !text.empty()) return std::nullopt;
  const auto ns = scaled(*seconds, second, *fraction);
  return ns ? std::optional(Timestamp{*ns}) : std::nullopt;
}

std::optional<std::uint64_t> take_unit(Text& text) {
  // Longer names first: "ms" is not "m".
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> units{{{"ns", 1},
                                                                             {"us", 1000},
                                                                             {"ms", 1'000'000},
                                                                             {"s", second},
                                                                             {"m", 60 * second},
                                                                             {"h", 3600 * second},
                                                                             {"d", 86400 * second}}};
  for (const auto& [name, ns] : units) {
    if (text.take_word(name)) return ns;
  }
  return std::nullopt;
}

// "10m", "1h30m", "1.5s".
std::optional<std::uint64_t> parse_span(Text text) {
  std::uint64_t sum = 0;
  do {
    const auto whole = text.number();
    auto behind = text;  // the unit of the fraction stands after it
    if (!whole || !text.fraction(second)) return std::nullopt;
    const auto unit = take_unit(text);
    if (!unit) return std::nullopt;
    const auto ns = scaled(*whole, *unit, *behind.fraction(*unit));
    if (!ns || __builtin_add_overflow(sum, *ns, &sum)) return std::nullopt;
  } while (!text.empty());
  return sum;
}

std::optional<Timestamp> parse_relative(Text text, Timestamp now) {
  const bool before = text.take('-');
  if (!before && !text.take('+')) return std::nullopt;
  const auto ns = parse_span(text);
  if (!ns) return std::nullopt;
  if (before) return Timestamp{now.ns > *ns ? now.ns - *ns : 0};
  return Timestamp{latest - now.ns > *ns ? now.ns + *ns : latest};
}

// Minutes east of Greenwich.
std::optional<int> parse_zone(Text& text) {
  if (text.take_any("Zz")) return 0;
  const bool west = text.take('-');
  if (!west && !text.take('+')) return std::nullopt;
  const auto hours = text.number(2);
  const auto minutes = text.take(':') ? text.number(2) : std::nullopt;
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (60 * *hours + *minutes);
}

std::optional<std::chrono::sys_days> date_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return date.ok() ? std::optional<std::chrono::sys_days>(date) : std::nullopt;
}

// `clock`: seconds of the day; with a zone, possibly of the day before or after.
std::optional<Timestamp> moment_of(std::chrono::sys_days date, int clock, std::uint64_t fraction) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(date.time_since_epoch()).count() + clock;
  if (seconds < 0) return std::nullopt;
  const auto ns = scaled(static_cast<std::uint64_t>(seconds), second, fraction);
  return ns ? std::optional(Timestamp{*ns}) : std::nullopt;
}

std::optional<std::chrono::sys_days> parse_date(Text& text) {
  const auto year = text.number(4);
  const auto month = year && text.take('-') ? text.number(2) : std::nullopt;
  const auto day = month && text.take('-') ? text.number(2) : std::nullopt;
  return day ? date_of(*year, *month, *day) : std::nullopt;
}

// Seconds of the day. A leap second (":60") counts as the second before it, as CLOCK_REALTIME does.
std::optional<int> parse_clock(Text& text) {
  const auto hour = text.number(2);
  const auto minute = hour && text.take(':') ? text.number(2) : std::nullopt;
  const auto clock_second = minute && text.take(':') ? text.number(2) : std::nullopt;
  if (!clock_second || *hour > 23 || *minute > 59 || *clock_second > 60) return std::nullopt;
  return 3600 * *hour + 60 * *minute + std::min(*clock_second, 59);
}

std::optional<Timestamp> parse_rfc3339(Text text) {
  const auto date = parse_date(text);
  if (!date || !text.take_any("Tt ")) return std::nullopt;
  const auto clock = parse_clock(text);
  const auto fraction = clock ? text.fraction(second) : std::nullopt;
  const auto zone = fraction ? parse_zone(text) : std::nullopt;
  if (!zone || !text.empty()) return std::nullopt;
  return moment_of(*date, *clock - 60 * *zone, *fraction);
}

// 20261121T075430.123456789Z
std::optional<Timestamp> parse_compact(Text text) {
  const auto year = text.number(4), month = text.number(2), day = text.number(2);
  const auto hour = text.take('T') ? text.number(2) : std::nullopt;
  const auto minute = text.number(2), whole = text.number(2);
  const auto nanosecond = text.take('.') ? text.number(9) : std::nullopt;
  if (!year || !month || !day || !hour || !minute || !whole || !nanosecond || !text.take('Z') || !text.empty())
    return std::nullopt;
  const auto date = date_of(*year, *month, *day);
  if (!date || *hour > 23 || *minute > 59 || *whole > 59) return std::nullopt;
  return moment_of(*date, 3600 * *hour + 60 * *minute + *whole, static_cast<std::uint64_t>(*nanosecond));
}

}  // namespace

Timestamp time_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count())};
}

std::string rfc3339(Timestamp time) {
  const auto c = calendar(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     time.nanoseconds());
}

std::expected<Timestamp, Error> from_rfc3339(std::string_view text) {
  if (const auto time = parse_rfc3339(Text(text))) return *time;
  return std::unexpected(Error{std::string(text), "it is no time of RFC 3339", "write it as 2026-11-21T07:54:30.5Z"});
}

std::expected<Timestamp, Error> parse_time(std::string_view text, Timestamp now) {
  if (const auto relative = parse_relative(Text(text), now)) return *relative;
  if (const auto epoch = parse_epoch(Text(text))) return *epoch;
  if (const auto time = parse_rfc3339(Text(text))) return *time;
  return std::unexpected(Error{std::string(text), "it is no time", accepted});
}

namespace format {

std::string format_compact_time(Timestamp time) {
  const auto c = calendar(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:09}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     time.nanoseconds());
}

std::optional<Timestamp> parse_compact_time(std::string_view text) { return parse_compact(Text(text)); }

}  // namespace format
}  // namespace wirespool
