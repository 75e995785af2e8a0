// SPDX-License-Identifier: BSD-3-Clause
#include "format/file_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>

namespace wirespool::format {
namespace {

constexpr std::string_view pcap_suffix = ".pcap";
constexpr std::string_view open_suffix = ".open";
constexpr std::string_view pending_suffix = ".on-seal";
constexpr std::string_view cut_suffix = ".cut";
constexpr std::size_t compact_time_length = 26;  // YYYYMMDDTHHMMSS.NNNNNNNNNZ
constexpr std::size_t longest_stem = 64;

struct Calendar {
  int year;
  unsigned month, day, hour, minute, second, nanosecond;
};

Calendar calendar(Timestamp time) {
  using namespace std::chrono;
  const seconds since_epoch{static_cast<seconds::rep>(time.ns / 1'000'000'000)};
  const auto days_since = floor<days>(since_epoch);
  const year_month_day date{sys_days{days_since}};
  const hh_mm_ss clock{since_epoch - days_since};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count()),
          time.nanoseconds()};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

// Digits only; nothing if there is anything else or the number does not fit.
std::optional<unsigned> parse_digits(std::string_view text) {
  unsigned value = 0;
  if (!all_digits(text)) return std::nullopt;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{}) return std::nullopt;
  return value;
}

// As format_file_name pads them: at least `width` digits, more only if the number needs them.
std::optional<unsigned> parse_padded(std::string_view text, std::size_t width) {
  if (text.size() < width || (text.size() > width && text.front() == '0')) return std::nullopt;
  return parse_digits(text);
}

// Cuts the last "-..." off `text` and returns it without the dash.
std::optional<std::string_view> cut_last_part(std::string_view& text) {
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto part = text.substr(dash + 1);
  text = text.substr(0, dash);
  return part;
}

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

// Both the dot and the ending, or neither. A file called ".open" has nothing in between.
bool strip_hidden(std::string_view& text, std::string_view suffix) {
  if (text.size() <= suffix.size() || !text.starts_with('.') || !strip_suffix(text, suffix)) return false;
  text.remove_prefix(1);
  return true;
}

// The name all files of one SpoolFile share, whether `pcap_name` is the sealed or the hidden one.
std::string_view base_name(std::string_view pcap_name) {
  strip_hidden(pcap_name, open_suffix);
  strip_suffix(pcap_name, pcap_suffix);
  return pcap_name;
}

}  // namespace

std::string format_file_name(const FileName& name) {
  return fmt::format("{}-{}-w{:02}-{:06}{}", name.stem, format_compact_time(name.first), name.writer, name.sequence,
                     pcap_suffix);
}

std::optional<FileName> parse_file_name(std::string_view text) {
  if (!strip_suffix(text, pcap_suffix)) return std::nullopt;
  const auto sequence_text = cut_last_part(text);
  const auto writer_text = cut_last_part(text);
  const auto time_text = cut_last_part(text);
  if (!sequence_text || !writer_text || !time_text || !writer_text->starts_with('w')) return std::nullopt;
  const auto sequence = parse_padded(*sequence_text, 6);
  const auto writer = parse_padded(writer_text->substr(1), 2);
  const auto first = parse_compact_time(*time_text);
  if (!sequence || !writer || !first || !valid_stem(text)) return std::nullopt;
  return FileName{std::string(text), *first, *writer, *sequence};
}

std::string hidden_file_name(const FileName& name_with_capture_start) {
  return fmt::format(".{}{}", format_file_name(name_with_capture_start), open_suffix);
}

std::optional<FileName> parse_hidden_file_name(std::string_view text) {
  if (!strip_hidden(text, open_suffix)) return std::nullopt;
  return parse_file_name(text);
}

std::string index_file_name(std::string_view pcap_name) { return fmt::format("{}.idx", base_name(pcap_name)); }

std::string hidden_index_file_name(std::string_view pcap_name) {
  return fmt::format(".{}{}", index_file_name(pcap_name), open_suffix);
}

std::string pending_file_name(std::string_view pcap_name) { return fmt::format(".{}{}", pcap_name, pending_suffix); }

std::optional<std::string> pcap_of_pending_file(std::string_view text) {
  if (!strip_hidden(text, pending_suffix)) return std::nullopt;
  if (!parse_file_name(text)) return std::nullopt;
  return std::string(text);
}

std::string cut_file_name(std::string_view pcap_name) { return fmt::format("{}{}", pcap_name, cut_suffix); }

std::string capture_file_name(std::string_view stem, Timestamp start) {
  return fmt::format("{}-{}.capture.json", stem, format_compact_time(start));
}

std::string ledger_file_name(std::string_view stem, Timestamp start) {
  return fmt::format("{}-{}.ledger.jsonl", stem, format_compact_time(start));
}

std::string format_compact_time(Timestamp time) {
  const auto c = calendar(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:09}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.nanosecond);
}

std::optional<Timestamp> parse_compact_time(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != compact_time_length || text[8] != 'T' || text[15] != '.' || text[25] != 'Z') return std::nullopt;
  const auto field = [&](std::size_t at, std::size_t length) { return parse_digits(text.substr(at, length)); };
  const auto year_number = field(0, 4), month_number = field(4, 2), day_number = field(6, 2);
  const auto hour = field(9, 2), minute = field(11, 2), second = field(13, 2), nanosecond = field(16, 9);
  if (!year_number || !month_number || !day_number || !hour || !minute || !second || !nanosecond) return std::nullopt;
  const year_month_day date{year{static_cast<int>(*year_number)}, month{*month_number}, day{*day_number}};
  if (!date.ok() || *year_number < 1970 || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto days_since = static_cast<std::uint64_t>(sys_days{date}.time_since_epoch().count());
  const std::uint64_t seconds_since = days_since * 86400 + *hour * 3600 + *minute * 60 + *second;
  if (seconds_since > (std::numeric_limits<std::uint64_t>::max() - *nanosecond) / 1'000'000'000) return std::nullopt;
  return Timestamp{seconds_since * 1'000'000'000 + *nanosecond};
}

std::string format_rfc3339(Timestamp time) {
  const auto c = calendar(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.nanosecond);
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  constexpr std::size_t seconds_end = 19, longest = 30;  // YYYY-MM-DDTHH:MM:SS, and .NNNNNNNNNZ
  if (text.size() > longest || text.size() <= seconds_end || text.back() != 'Z') return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
  auto fraction = text.substr(seconds_end, text.size() - seconds_end - 1);
  if (!fraction.empty() && (fraction.front() != '.' || fraction.size() == 1)) return std::nullopt;
  if (!fraction.empty()) fraction.remove_prefix(1);
  return parse_compact_time(fmt::format("{}{}{}{}{}.{:0<9}Z", text.substr(0, 4), text.substr(5, 2), text.substr(8, 5),
                                        text.substr(14, 2), text.substr(17, 2), fraction));
}

bool valid_stem(std::string_view stem) {
  if (stem.empty() || stem.size() > longest_stem || stem.front() == '.' || stem.front() == '-') return false;
  return std::ranges::all_of(stem, [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace wirespool::format
