// SPDX-License-Identifier: BSD-3-Clause
#include "tools/ledger_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "storage/read_file.hpp"
#include "tools/moment.hpp"

namespace wirespool::tools {
namespace {

using Json = nlohmann::json;

// What a file says takes up to 70 times its length when it is parsed; ours are a hundredth of these at most.
constexpr std::uint64_t largest_plan = 4 << 20;
constexpr std::size_t longest_line = 1 << 20;
constexpr int deepest_nesting = 32;

// More lines are thinned out: of 65536 points of a year, two are eight minutes apart.
constexpr std::size_t most_points = 65536;
constexpr std::size_t most_problems = 20;

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > deepest_nesting) return true;
  }
  return false;
}

Json parse(std::string_view text) {
  if (nests_too_deep(text)) return Json::value_t::discarded;
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

// Anything that is not there, or no number, is zero: counters were added over time.
std::uint64_t count(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::int64_t signed_count(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Json& child(const Json& object, const char* name) {
  static const Json none = Json::object();
  const auto found = object.find(name);
  return found != object.end() ? *found : none;
}

std::expected<LedgerPoint, std::string> point_of(const Json& json) {
  if (!json.is_object()) return std::unexpected("it is no JSON object");
  const auto time = parse_moment(text_of(json, "time"), Timestamp{});
  if (!time) return std::unexpected("it has no time");
  const auto& totals = child(json, "totals");
  if (!totals.is_object()) return std::unexpected("it has no totals");
  LedgerPoint point;
  point.time = *time;
  point.final = child(json, "final") == Json(true);
  point.ended_by = text_of(json, "ended_by");
  point.received = count(totals, "received");
  point.left_out = count(totals, "ended_early") + count(totals, "filtered") + count(totals, "cut");
  point.stored = count(totals, "stored");
  point.stored_bytes = count(totals, "stored_bytes");
  point.rehomed = count(totals, "rehomed");
  point.in_flight = signed_count(totals, "in_flight");
  point.losses.drop_handoff = count(totals, "drop_handoff");
  point.losses.drop_drive = count(totals, "drop_drive");
  for (const auto& port : child(json, "ports")) {
    if (!port.is_object()) continue;
    point.losses.nic_missed += count(port, "nic_missed");
    point.losses.nic_errors += count(port, "nic_errors");
    point.losses.no_mbuf += count(port, "no_mbuf");
  }
  return point;
}

}  // namespace

Losses& Losses::operator+=(const Losses& other) {
  nic_missed += other.nic_missed;
  nic_errors += other.nic_errors;
  no_mbuf += other.no_mbuf;
  drop_handoff += other.drop_handoff;
  drop_drive += other.drop_drive;
  return *this;
}

Losses Losses::operator-(const Losses& other) const {
  const auto less = [](std::uint64_t a, std::uint64_t b) { return a - std::min(a, b); };
  return {less(nic_missed, other.nic_missed), less(nic_errors, other.nic_errors), less(no_mbuf, other.no_mbuf),
          less(drop_handoff, other.drop_handoff), less(drop_drive, other.drop_drive)};
}

std::string LedgerPoint::imbalance() const {
  const auto accounted =
      left_out + stored + losses.drop_handoff + losses.drop_drive + static_cast<std::uint64_t>(in_flight);
  if (in_flight < 0) return fmt::format("{} packets are in flight", in_flight);
  if (received != accounted) {
    return fmt::format(
        "{} packets were received, but ended_early + filtered + cut + stored + drop_handoff + drop_drive + in_flight "
        "is "
        "{}",
        received, accounted);
  }
  if (final && in_flight != 0) return fmt::format("{} packets were still in flight at the end", in_flight);
  return {};
}

std::expected<LedgerPoint, std::string> parse_ledger_line(std::string_view line) { return point_of(parse(line)); }

namespace {

// Gives the lines of a file one by one, and holds no more than one of them.
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

// Every second one goes; the last one stays.
void thin_out(std::vector<LedgerPoint>& points) {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < points.size(); i += 2) points[kept++] = std::move(points[i]);
  points.resize(kept);
}

void add_line(LedgerFile& ledger, std::string_view line, const std::string& place) {
  auto point = parse_ledger_line(line);
  if (point) {
    if (!point->imbalance().empty()) ++ledger.unbalanced;
    if (ledger.points.size() == most_points) thin_out(ledger.points);
    ledger.points.push_back(std::move(*point));
  } else if (++ledger.left_out <= most_problems) {
    ledger.problems.push_back(place + " is left out: " + point.error());
  }
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
    add_line(ledger, lines.too_long() ? std::string_view() : **line, fmt::format("{}: line {}", path, number));
  }
  if (ledger.left_out > most_problems) {
    ledger.problems.push_back(fmt::format("{}: {} more lines are left out", path, ledger.left_out - most_problems));
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

Losses losses_in(std::span<const LedgerPoint> lines, const Losses& before, Timestamp from, Timestamp to) {
  const auto behind = std::ranges::upper_bound(lines, from, {}, &LedgerPoint::time);
  const auto reached = std::ranges::lower_bound(lines, to, {}, &LedgerPoint::time);
  const auto& at_end = reached == lines.end() ? lines.back() : *reached;
  return at_end.losses - (behind == lines.begin() ? before : std::prev(behind)->losses);
}

}  // namespace

Losses losses_between(const std::vector<LedgerPoint>& points, Timestamp from, Timestamp to) {
  const auto eras = eras_of(points);
  const std::span all(points);
  Losses sum;
  for (const auto& era : eras) {
    const bool concerned = from <= era.to && (to >= era.from || era.covers(to));
    if (eras.size() > 1 && !concerned) continue;
    const auto before = era.first == 0 ? Losses{} : points[era.first - 1].losses;
    sum += losses_in(all.subspan(era.first, era.last - era.first + 1), before, from, to);
  }
  return sum;
}

std::expected<CaptureFacts, std::string> parse_capture_json(std::string_view text) {
  const auto json = parse(text);
  if (!json.is_object()) return std::unexpected("it is no JSON object");
  const auto& plan = child(json, "plan");
  if (!plan.is_object()) return std::unexpected("it has no plan");
  CaptureFacts facts;
  facts.drives = child(plan, "drives").size();
  facts.flow_index = text_of(plan, "index") == "flow";
  facts.on_seal = !text_of(plan, "on_seal").empty();
  if (const auto block_bytes = count(plan, "block_bytes"); block_bytes > 0) facts.block_bytes = block_bytes;
  if (const auto snaplen = count(plan, "snaplen"); snaplen > 0 && snaplen <= UINT32_MAX)
    facts.snaplen = static_cast<std::uint32_t>(snaplen);
  if (const auto& ledger = child(json, "ledger"); ledger.is_object() && !ledger.empty()) {
    auto point = point_of(ledger);
    if (!point) return std::unexpected("its ledger is wrong: " + point.error());
    facts.final = std::move(*point);
  }
  return facts;
}

std::expected<CaptureFacts, std::string> read_capture_json(const std::string& path) {
  const auto bytes = storage::read_small_file(path, largest_plan);
  if (!bytes) return std::unexpected(bytes.error().message());
  return parse_capture_json({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

}  // namespace wirespool::tools
