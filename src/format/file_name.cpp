// SPDX-License-Identifier: BSD-3-Clause
#include "format/file_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wirespool::format {
namespace {

constexpr std::string_view pcap_suffix = ".pcap";
constexpr std::string_view pcapng_suffix = ".pcapng";
constexpr std::string_view open_suffix = ".open";
constexpr std::string_view live_suffix = ".live";
constexpr std::string_view pending_suffix = ".on-seal";
constexpr std::string_view cut_suffix = ".cut";
constexpr std::string_view keep_suffix = ".keep";
constexpr std::size_t longest_stem = 64;

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

// Cuts the format's ending off `text`; returns which one it was.
std::optional<FileFormat> strip_format(std::string_view& text) {
  if (strip_suffix(text, pcap_suffix)) return FileFormat::pcap;
  if (strip_suffix(text, pcapng_suffix)) return FileFormat::pcapng;
  return std::nullopt;
}

// The name all files of one SpoolFile share, whether `pcap_name` is the sealed or the hidden one.
std::string_view base_name(std::string_view pcap_name) {
  strip_hidden(pcap_name, open_suffix);
  strip_format(pcap_name);
  return pcap_name;
}

}  // namespace

std::string format_file_name(const FileName& name) {
  return fmt::format("{}-{}-w{:02}-{:06}{}", name.stem, format_compact_time(name.first), name.writer, name.sequence,
                     name.format == FileFormat::pcap ? pcap_suffix : pcapng_suffix);
}

std::optional<FileName> parse_file_name(std::string_view text) {
  const auto format = strip_format(text);
  if (!format) return std::nullopt;
  const auto sequence_text = cut_last_part(text);
  const auto writer_text = cut_last_part(text);
  const auto time_text = cut_last_part(text);
  if (!sequence_text || !writer_text || !time_text || !writer_text->starts_with('w')) return std::nullopt;
  const auto sequence = parse_padded(*sequence_text, 6);
  const auto writer = parse_padded(writer_text->substr(1), 2);
  const auto first = parse_compact_time(*time_text);
  if (!sequence || !writer || !first || !valid_stem(text)) return std::nullopt;
  return FileName{std::string(text), *first, *writer, *sequence, *format};
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

std::string keep_file_name(std::string_view pcap_name) { return fmt::format("{}{}", pcap_name, keep_suffix); }

std::string capture_name(std::string_view stem, Timestamp start) {
  return fmt::format("{}-{}", stem, format_compact_time(start));
}

std::optional<CaptureName> parse_capture_name(std::string_view text) {
  const auto time_text = cut_last_part(text);
  const auto start = time_text ? parse_compact_time(*time_text) : std::nullopt;
  if (!start || !valid_stem(text)) return std::nullopt;
  return CaptureName{std::string(text), *start};
}

std::string flow_file_name(std::string_view stem, Timestamp time, unsigned writer, unsigned sequence,
                           std::string_view suffix) {
  return fmt::format("{}-{}-f{:02}-{:06}{}", stem, format_compact_time(time), writer, sequence, suffix);
}

std::string hidden_flow_file_name(std::string_view flow_file_name) {
  return fmt::format(".{}{}", flow_file_name, open_suffix);
}

std::string live_file_name(std::string_view stem) { return fmt::format(".{}{}", stem, live_suffix); }

std::optional<std::string> parse_live_file_name(std::string_view text) {
  if (!text.starts_with('.') || !text.ends_with(live_suffix) || text.size() <= live_suffix.size()) return std::nullopt;
  const auto stem = text.substr(1, text.size() - 1 - live_suffix.size());
  return valid_stem(stem) ? std::optional(std::string(stem)) : std::nullopt;
}

std::string removed_file_name(std::string_view stem, Timestamp start) {
  return capture_name(stem, start) + ".removed.json";
}

std::string archived_file_name(std::string_view stem, Timestamp start) {
  return capture_name(stem, start) + ".archived.json";
}

std::string capture_file_name(std::string_view stem, Timestamp start) {
  return capture_name(stem, start) + ".capture.json";
}

std::string ledger_file_name(std::string_view stem, Timestamp start) {
  return capture_name(stem, start) + ".ledger.jsonl";
}

bool valid_stem(std::string_view stem) {
  if (stem.empty() || stem.size() > longest_stem || stem.front() == '.' || stem.front() == '-') return false;
  return std::ranges::all_of(stem, [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace wirespool::format
