// SPDX-License-Identifier: BSD-3-Clause
#include "tools/missing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "format/file_name.hpp"
#include "options/values.hpp"
#include "tools/ledger_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {
namespace {

constexpr std::size_t most_stretches_shown = 8;

using Key = std::pair<std::string, Timestamp>;

// The files of one capture: each directory has the same, except for what a failing drive did not take.
struct Paths {
  std::vector<std::string> plans, ledgers;
};

std::map<Key, Paths> captures_of(const Spool& spool) {
  std::map<Key, Paths> captures;
  for (const auto& capture : spool.captures()) {
    auto& paths = captures[{capture.stem, capture.start}];
    paths.plans.push_back(capture.plan_path);
    if (!capture.ledger_path.empty()) paths.ledgers.push_back(capture.ledger_path);
  }
  return captures;
}

std::optional<format::LedgerLine> final_line(const Paths& paths) {
  for (const auto& path : paths.plans) {
    auto file = read_capture_file(path);
    if (file && file->ledger) return std::move(file->ledger);
  }
  return std::nullopt;
}

LedgerFile longest_ledger(const Paths& paths) {
  LedgerFile longest;
  for (const auto& path : paths.ledgers) {
    auto ledger = read_ledger(path);
    if (ledger.points.size() > longest.points.size()) longest = std::move(ledger);
  }
  return longest;
}

// Whether the capture ran at other times, by its clock; false if that was set meanwhile, for then its times do not
// tell.
bool apart(Timestamp start, const format::LedgerLine& final, Timestamp from, Timestamp to) {
  constexpr std::uint64_t second = 1'000'000'000;
  if (final.time < start) return false;
  const auto by_clock = final.time.ns - start.ns;
  const auto off = std::max(by_clock, final.elapsed_ns) - std::min(by_clock, final.elapsed_ns);
  return off < second && (final.time < from || (start >= to && start.ns - to.ns > second));
}

// Lines of an era are cumulative: what was lost between two of them is their difference.
void add_stretches(Missing& missing, const std::vector<LedgerPoint>& points, Timestamp start, Timestamp from,
                   Timestamp to) {
  const auto first = missing.stretches.size();
  auto before = LedgerPoint{start, {}, {}};
  for (const auto& point : points) {
    const auto losses = point.losses - before.losses;
    const auto [begin, end] = std::minmax(before.time, point.time);  // the clock may have been set back
    if (losses.sum() > 0 && begin < to && end >= from) {
      missing.losses += losses;
      const bool touches = missing.stretches.size() > first && missing.stretches.back().to == begin;
      if (touches) {
        missing.stretches.back().losses += losses;
        missing.stretches.back().to = end;
      } else {
        missing.stretches.push_back({begin, end, losses});
      }
    }
    before = point;
  }
}

void add_gaps(Missing& missing, const std::vector<format::GapLine>& gaps, Timestamp from, Timestamp to) {
  for (const auto& gap : gaps) {
    if (gap.from < to && (!gap.to || *gap.to >= from)) missing.gaps.push_back(gap);
  }
}

void add_capture(Missing& missing, const Key& key, const Paths& paths, Timestamp from, Timestamp to) {
  const auto& [stem, start] = key;
  const auto name = format::capture_name(stem, start);
  auto final = final_line(paths);
  if (final && apart(start, *final, from, to)) return;
  const auto lost = final ? stats::losses_of(*final) : stats::Losses{};
  if (final) add_gaps(missing, final->gaps, from, to);
  if (final && lost.sum() == 0) {
    ++missing.captures;
    missing.losses += lost;  // what is not counted
    return;
  }
  auto ledger = longest_ledger(paths);
  auto& points = ledger.points;
  if (!final) add_gaps(missing, ledger.gaps, from, to);
  if (final && (points.empty() || points.back().losses.sum() < lost.sum())) points.push_back({final->time, lost, {}});
  if (points.empty()) {
    missing.untold.push_back(name + " has no ledger");
    return;
  }
  if (!final && points.back().time < to && points.back().time >= from)
    missing.untold.push_back(fmt::format("{} tells of the time up to {}", name, rfc3339(points.back().time)));
  if (!final && points.back().time < from) {
    missing.untold.push_back(fmt::format("{} tells nothing after {}", name, rfc3339(points.back().time)));
    return;
  }
  ++missing.captures;
  add_stretches(missing, points, start, from, to);
  missing.losses += points.back().losses - points.back().losses;  // what is not counted
}

std::string joined(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); }

std::string when(const std::vector<MissingStretch>& stretches) {
  std::vector<std::string> texts;
  for (const auto& stretch : stretches) {
    if (texts.size() == most_stretches_shown) {
      texts.push_back(fmt::format("{} more times", stretches.size() - most_stretches_shown));
      break;
    }
    texts.push_back(
        fmt::format("{} to {}{}", rfc3339(stretch.from), rfc3339(stretch.to), stats::counted_losses(stretch.losses)));
  }
  return joined(texts);
}

}  // namespace

Missing missing_between(const Spool& spool, Timestamp from, Timestamp to) {
  Missing missing;
  for (const auto& [key, paths] : captures_of(spool)) add_capture(missing, key, paths, from, to);
  std::ranges::stable_sort(missing.stretches, {}, &MissingStretch::from);
  missing.files_without =
      std::ranges::any_of(spool.files(), [&](const auto& file) { return file.named && !spool.capture_of(file); });
  return missing;
}

std::string render(const Missing& missing) {
  if (missing.captures == 0 && missing.untold.empty() && !missing.files_without) return "";
  if (missing.captures == 0 && missing.untold.empty())
    return "missing packets: not known, as no capture's ledger was read: name its directory";
  const auto lost = missing.losses.sum();
  std::string text = "missing packets in that time: ";
  if (missing.captures == 0) {
    text += "not known";
  } else if (lost == 0) {
    text += "none by the ledger";
  } else {
    text += fmt::format("{} by the ledger:{}: {}", options::group_digits(lost), stats::counted_losses(missing.losses),
                        when(missing.stretches));
  }
  if (missing.losses.any_unknown()) text += "; not counted:" + stats::unknown_losses(missing.losses);
  for (const auto& gap : missing.gaps)
    text += fmt::format("; port {} was away from {} to {}", gap.port, rfc3339(gap.from),
                        gap.to ? rfc3339(*gap.to) : "the end");
  if (!missing.untold.empty()) text += "; " + joined(missing.untold);
  if (missing.files_without) text += "; of some files no ledger tells";
  return text;
}

}  // namespace wirespool::tools
