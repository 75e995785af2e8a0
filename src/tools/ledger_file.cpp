// SPDX-License-Identifier: BSD-3-Clause
#include "tools/ledger_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "stats/ledger.hpp"
#include "storage/read_file.hpp"

namespace wirespool::tools {
namespace {

// Largest files that are read: parsing takes up to 70 times a file's length. Ours are at most a hundredth of these.
constexpr std::uint64_t largest_plan = 4 << 20;
constexpr std::size_t longest_line = 1 << 20;

// More lines than this are thinned out: 65536 points in a year are eight minutes apart.
constexpr std::size_t most_points = 65536;
constexpr std::size_t most_problems = 20;

// Gives the lines of a file one by one, with only one of them in memory.
class Lines {
 public:
  explicit Lines(storage::ReadFile file) : file_(std::move(file)) {}

  // nullopt at the end. A line that is too long comes as its beginning, with too_long() set.
  std::expected<std::optional<std::string_view>, storage::IoError> next() {
    too_long_ = false;
    while (true) {
      const auto rest = std::string_view(buffer_).substr(begin_);
      const auto end = rest.find('\n');
      if (end != std::string_view::npos || (at_end_ && !rest.empty())) return take(rest, std::min(end, rest.size()));
      if (at_end_ && std::exchange(skip_to_newline_, false)) return std::string_view();
      if (at_end_) return std::nullopt;
      if (rest.size() > longest_line) skip_to_newline_ = too_long_ = true;
      if (const auto filled = fill(); !filled) return std::unexpected(filled.error());
    }
  }
  bool too_long() const { return too_long_; }

 private:
  std::string_view take(std::string_view rest, std::size_t length) {
    begin_ += std::min(length + 1, rest.size());
    skip_to_newline_ = false;
    return rest.substr(0, length);
  }

  std::expected<void, storage::IoError> fill() {
    if (skip_to_newline_) buffer_.clear();
    if (!skip_to_newline_) buffer_.erase(0, begin_);
    begin_ = 0;
    const auto had = buffer_.size();
    buffer_.resize(had + chunk);
    const auto got = file_.read(offset_, std::as_writable_bytes(std::span(buffer_).subspan(had)));
    if (!got) return std::unexpected(got.error());
    buffer_.resize(had + *got);
    offset_ += *got;
    at_end_ = *got < chunk;
    return {};
  }

  static constexpr std::size_t chunk = 256 << 10;
  storage::ReadFile file_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false, skip_to_newline_ = false, too_long_ = false;
};

// Removes every second point, but not the last.
void thin_out(std::vector<LedgerPoint>& points) {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < points.size(); i += 2) points[kept++] = std::move(points[i]);
  points.resize(kept);
}

std::expected<format::LedgerLine, std::string> decode(const Lines& lines, std::string_view line) {
  if (lines.too_long()) return std::unexpected(fmt::format("it is longer than {} bytes", longest_line));
  return format::decode_ledger_line(line);
}

void add_line(LedgerFile& ledger, const std::expected<format::LedgerLine, std::string>& line,
              const std::string& place) {
  if (!line) {
    if (++ledger.skipped <= most_problems) ledger.problems.push_back(place + " is skipped: " + line.error());
    return;
  }
  if (ledger.points.empty()) ledger.lines_gone = line->lines_gone;
  if (!stats::imbalance(*line).empty()) ++ledger.unbalanced;
  if (!line->gaps.empty()) ledger.gaps = line->gaps;
  if (ledger.points.size() == most_points) thin_out(ledger.points);
  ledger.points.push_back({line->time, stats::losses_of(*line), line->clock});
  if (auto& clock = ledger.points.back().clock) clock->others.clear();
}

}  // namespace

LedgerFile read_ledger(const std::string& path) {
  LedgerFile ledger;
  auto file = storage::ReadFile::open(path);
  if (!file) {
    ledger.problems.push_back(file.error().message());
    return ledger;
  }
  Lines lines(std::move(*file));
  for (std::size_t number = 1;; ++number) {
    const auto line = lines.next();
    if (!line) ledger.problems.push_back(line.error().message());
    if (!line || !*line) break;
    add_line(ledger, decode(lines, **line), fmt::format("{}: line {}", path, number));
  }
  if (ledger.skipped > most_problems) {
    ledger.problems.push_back(fmt::format("{}: {} more lines are skipped", path, ledger.skipped - most_problems));
  }
  return ledger;
}

std::vector<Era> eras_of(const std::vector<LedgerPoint>& points) {
  constexpr std::uint64_t second = 1'000'000'000;
  std::vector<Era> eras;
  std::uint64_t longest = second;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto time = points[i].time;
    if (eras.empty() || time < eras.back().to) {
      eras.push_back({i, i, time, time, 0});
      continue;
    }
    longest = std::max(longest, time.ns - eras.back().to.ns);
    eras.back().last = i;
    eras.back().to = time;
  }
  for (auto& era : eras) era.slack_ns = longest;
  return eras;
}

namespace {

stats::Losses losses_in(std::span<const LedgerPoint> lines, const stats::Losses& before, Timestamp from, Timestamp to) {
  const auto behind = std::ranges::upper_bound(lines, from, {}, &LedgerPoint::time);
  const auto reached = std::ranges::lower_bound(lines, to, {}, &LedgerPoint::time);
  const auto& at_end = reached == lines.end() ? lines.back() : *reached;
  return at_end.losses - (behind == lines.begin() ? before : std::prev(behind)->losses);
}

bool concerned(const Era& era, Timestamp from, Timestamp to) {
  return from <= era.to && (to >= era.from || era.covers(to));
}

// The widest bound of the lines from the first one not before `from` to the first one not before `to`: each line covers
// the time before it.
std::optional<format::ClockBound> clock_in(std::span<const LedgerPoint> lines, Timestamp from, Timestamp to) {
  auto line = std::ranges::lower_bound(lines, from, {}, &LedgerPoint::time);
  if (line == lines.end()) return std::nullopt;
  auto bound = line->clock;
  for (; bound && line->time < to && std::next(line) != lines.end(); ++line) {
    const auto& next = std::next(line)->clock;
    bound = next ? std::optional(stats::wider(*bound, *next)) : std::nullopt;
  }
  return bound;
}

}  // namespace

stats::Losses losses_between(const std::vector<LedgerPoint>& points, Timestamp from, Timestamp to) {
  const auto eras = eras_of(points);
  const std::span all(points);
  stats::Losses sum;
  for (const auto& era : eras) {
    if (eras.size() > 1 && !concerned(era, from, to)) continue;
    const auto before = era.first == 0 ? stats::Losses{} : points[era.first - 1].losses;
    sum += losses_in(all.subspan(era.first, era.last - era.first + 1), before, from, to);
  }
  return sum;
}

std::optional<format::ClockBound> clock_between(const std::vector<LedgerPoint>& points, Timestamp from, Timestamp to) {
  const auto eras = eras_of(points);
  const std::span all(points);
  std::optional<format::ClockBound> bound;
  for (const auto& era : eras) {
    if (!concerned(era, from, to)) continue;
    if (to > era.to && era.last + 1 == points.size()) return std::nullopt;  // after the last line
    const auto here = clock_in(all.subspan(era.first, era.last - era.first + 1), from, to);
    if (!here) return std::nullopt;
    bound = bound ? stats::wider(*bound, *here) : *here;
  }
  return bound;
}

std::expected<format::CaptureFile, std::string> read_capture_file(const std::string& path) {
  const auto text = storage::read_small_file(path, largest_plan);
  if (!text) return std::unexpected(text.error().message());
  return format::decode_capture_file(*text);
}

}  // namespace wirespool::tools
