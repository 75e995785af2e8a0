// SPDX-License-Identifier: BSD-3-Clause
#include "serve/exposition_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>

namespace wirespool::serve {
namespace {

constexpr std::string_view prefix = "wirespool_";

// ---- what is asked for

struct MediaRange {
  std::string type;     // in small letters
  std::string version;  // of a parameter of that name
  double weight = 1;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& letter : small)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return small;
}

// The text in front of the first `separator`, which is taken off with it.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(taken);
}

double weight_of(std::string_view text) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  return error == std::errc() && end == text.data() + text.size() && weight >= 0 && weight <= 1 ? weight : 0;
}

MediaRange media_range(std::string_view text) {
  MediaRange range{.type = lower(take_until(text, ';')), .version = {}};
  while (!text.empty()) {
    auto value = take_until(text, ';');
    const auto name = lower(take_until(value, '='));
    if (name == "q") range.weight = weight_of(trimmed(value));
    if (name == "version") range.version = trimmed(value);
  }
  return range;
}

std::optional<Form> form_of(const MediaRange& range) {
  if (range.type == "application/openmetrics-text")
    return range.version.empty() || range.version == "1.0.0" || range.version == "0.0.1"
               ? std::optional(Form::openmetrics)
               : std::nullopt;
  if (range.type == "text/plain" || range.type == "text/*" || range.type == "*/*") return Form::text;
  return std::nullopt;
}

// ---- what is written

// How many bytes a character of UTF-8 (RFC 3629, section 4) has at the beginning of `text`; 0: it has none there.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const unsigned second = byte(1);
  const bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : bytes;
}

// A path may hold any bytes; one that is not UTF-8 would have a scraper refuse the whole page.
std::string escaped(std::string_view text, bool quotes) {
  std::string result;
  while (!text.empty()) {
    const auto bytes = character_bytes(text);
    const auto character = text.substr(0, std::max<std::size_t>(1, bytes));
    if (bytes == 0)
      result += "\xef\xbf\xbd";
    else if (character == "\n")
      result += "\\n";
    else if (character == "\\" || (quotes && character == "\""))
      result.append("\\").append(character);
    else
      result += character;
    text.remove_prefix(character.size());
  }
  return result;
}

std::string as_seconds(std::uint64_t nanoseconds) {
  constexpr std::uint64_t second = 1'000'000'000;
  return fmt::format("{}.{:09}", nanoseconds / second, nanoseconds % second);
}

std::string_view word(Kind kind, Form form) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::histogram:
      return "histogram";
    case Kind::info:
      return form == Form::openmetrics ? "info" : "gauge";  // the older form has no such type
    case Kind::gauge:
      break;
  }
  return "gauge";
}

}  // namespace

Form form_for(std::string_view accept) {
  double text = 0, openmetrics = 0;
  while (!accept.empty()) {
    const auto range = media_range(take_until(accept, ','));
    const auto form = form_of(range);
    if (!form) continue;
    double& best = *form == Form::text ? text : openmetrics;
    best = std::max(best, range.weight);
  }
  return openmetrics > 0 && openmetrics >= text ? Form::openmetrics : Form::text;
}

std::string content_type(Form form) {
  return form == Form::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                   : "text/plain; version=0.0.4; charset=utf-8";
}

void FamilyWriter::family(std::string_view name, Kind kind, std::string_view help) {
  name_ = std::string(prefix).append(name);
  kind_ = kind;
  help_ = help;
  has_head_ = false;
}

// Of a counter OpenMetrics has the family's name without `_total`, Prometheus's own form with it; info likewise.
void FamilyWriter::head() {
  if (has_head_) return;
  has_head_ = true;
  auto name = name_;
  if (form_ == Form::text && kind_ == Kind::counter) name += "_total";
  if (form_ == Form::text && kind_ == Kind::info) name += "_info";
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name,
                 escaped(help_, form_ == Form::openmetrics), name, word(kind_, form_));
}

void FamilyWriter::line(std::string_view suffix, const Labels& labels, const std::string& value) {
  head();
  text_.append(name_).append(suffix);
  const char* before = "{";
  for (const auto& [name, label] : labels) {
    text_.append(before).append(name).append("=\"").append(escaped(label, true)).append("\"");
    before = ",";
  }
  text_.append(labels.empty() ? " " : "} ").append(value).append("\n");
}

void FamilyWriter::sample(const Labels& labels, const std::string& value) {
  line(kind_ == Kind::counter ? "_total" : kind_ == Kind::info ? "_info" : "", labels, value);
  if (form_ == Form::openmetrics && kind_ == Kind::counter) line("_created", labels, as_seconds(start_.ns));
}

void FamilyWriter::seconds(const Labels& labels, std::uint64_t nanoseconds) { sample(labels, as_seconds(nanoseconds)); }

void FamilyWriter::durations(const Labels& labels, const std::vector<std::pair<std::uint64_t, std::uint64_t>>& at_most,
                             std::uint64_t all, std::uint64_t sum_ns) {
  auto with_bound = labels;
  with_bound.emplace_back("le", "");
  for (const auto& [bound_ns, count] : at_most) {
    with_bound.back().second = as_seconds(bound_ns);
    line("_bucket", with_bound, std::to_string(count));
  }
  with_bound.back().second = "+Inf";
  line("_bucket", with_bound, std::to_string(all));
  line("_count", labels, std::to_string(all));
  line("_sum", labels, as_seconds(sum_ns));
  if (form_ == Form::openmetrics) line("_created", labels, as_seconds(start_.ns));
}

std::string FamilyWriter::finish() {
  if (form_ == Form::openmetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace wirespool::serve
