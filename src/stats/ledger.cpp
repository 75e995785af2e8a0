// SPDX-License-Identifier: BSD-3-Clause
#include "stats/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "stats/losses.hpp"

namespace wirespool::stats {

void add_place(format::StageLine& stage, std::int64_t there, std::int64_t missing, const std::string& place) {
  stage.in_flight += there;
  stage.imbalance += missing;
  if (missing != 0 && stage.where.empty()) stage.where = place;
}

std::int64_t in_flight(const format::LedgerLine& line) {
  const auto& t = line.totals;
  auto left = t.received - t.ended_early - t.filtered - t.cut - t.stored - t.drop_handoff - t.drop_drive;
  for (const auto& stage : line.stages)
    if (stage.unit == "packets") left -= static_cast<std::uint64_t>(stage.imbalance);
  return static_cast<std::int64_t>(left);
}

void close_books(format::LedgerLine& line) {
  line.totals.in_flight = in_flight(line);
  line.totals.lost = losses_of(line).sum();
  line.imbalance.clear();
  line.imbalance = imbalance(line);
}

format::ClockBound wider(const format::ClockBound& a, const format::ClockBound& b) {
  const auto larger = [](const auto& one, const auto& other) {
    return one && other ? std::max(one, other) : std::nullopt;
  };
  return {.source = a.source == b.source ? a.source : "mixed",
          .discipline = a.discipline == b.discipline ? a.discipline : "",
          .error_ns = larger(a.error_ns, b.error_ns),
          .line_error_ns = larger(a.line_error_ns, b.line_error_ns),
          .kernel_max_error_ns = larger(a.kernel_max_error_ns, b.kernel_max_error_ns),
          .kernel_estimated_error_ns = larger(a.kernel_estimated_error_ns, b.kernel_estimated_error_ns),
          .longest_sleep_ns = std::max(a.longest_sleep_ns, b.longest_sleep_ns)};
}

// Every power of two is the end of a bucket, so that no bucket is divided.
format::WriteDurations write_durations(const std::array<std::uint64_t, Histogram::buckets>& counts,
                                       std::uint64_t sum_ns) {
  using Durations = format::WriteDurations;
  Durations durations{.sum_ns = sum_ns};
  durations.counts.resize(Durations::last_bits - Durations::first_bits + 2);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto bits = static_cast<unsigned>(std::bit_width(Histogram::upper_bound(i)));
    durations.counts[std::clamp(bits, Durations::first_bits, Durations::last_bits + 1) - Durations::first_bits] +=
        counts[i];
  }
  while (!durations.counts.empty() && durations.counts.back() == 0) durations.counts.pop_back();
  return durations;
}

bool may_have_lost(const format::LedgerLine& line) {
  return !line.gaps.empty() || std::ranges::any_of(line.ports, &format::PortLine::stats_failed);
}

std::string imbalance(const format::LedgerLine& line) {
  const auto& totals = line.totals;
  for (const auto& stage : line.stages)
    if (stage.imbalance != 0 || !stage.where.empty())
      return fmt::format("{}: {} {} came in, did not go on and are not there, the first at {}", stage.stage,
                         stage.imbalance, stage.unit, stage.where.empty() ? "an unnamed place" : stage.where);
  std::uint64_t by_port = 0;
  for (const auto& port : line.ports) by_port += port.received;
  if (line.final && by_port != totals.received)
    return fmt::format("the ports received {} packets, the lcores {}", by_port, totals.received);
  const auto left = in_flight(line);
  if (left < 0 || left != totals.in_flight || (line.final && left != 0))
    return fmt::format(
        "received {} = ended_early {} + filtered {} + cut {} + stored {} + drop_handoff {} + drop_drive {} leaves {} "
        "packets, and in_flight is {}",
        totals.received, totals.ended_early, totals.filtered, totals.cut, totals.stored, totals.drop_handoff,
        totals.drop_drive, left, totals.in_flight);
  return line.imbalance;
}

}  // namespace wirespool::stats
