// SPDX-License-Identifier: BSD-3-Clause
#include "stats/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wirespool::stats {

std::uint64_t Ledger::lost() const {
  std::uint64_t lost = totals.drop_handoff + totals.drop_drive;
  for (const auto& port : ports) lost += port.lost();
  return lost;
}

void StageLine::found(std::int64_t there, std::int64_t missing, const std::string& place) {
  in_flight += there;
  imbalance += missing;
  if (missing != 0 && where.empty()) where = place;
}

std::int64_t Ledger::in_flight() const {
  std::int64_t left = totals.left();
  for (const auto& stage : stages)
    if (stage.unit == "packets") left -= stage.imbalance;
  return left;
}

bool Ledger::may_have_lost() const { return !gaps.empty() || std::ranges::any_of(ports, &PortLine::stats_failed); }

std::string Ledger::imbalance() const {
  for (const auto& stage : stages)
    if (!stage.where.empty())
      return fmt::format("{}: {} {} came in, did not go on and are not there, the first at {}", stage.stage,
                         stage.imbalance, stage.unit, stage.where);
  std::uint64_t by_port = 0;
  for (const auto& port : ports) by_port += port.received;
  if (final && by_port != totals.received)
    return fmt::format("the ports received {} packets, the lcores {}", by_port, totals.received);
  if (in_flight() < 0 || (final && in_flight() != 0))
    return fmt::format(
        "received {} = ended_early {} + filtered {} + stored {} + drop_handoff {} + drop_drive {} leaves {} packets",
        totals.received, totals.ended_early, totals.filtered, totals.stored, totals.drop_handoff, totals.drop_drive,
        in_flight());
  return {};
}

}  // namespace wirespool::stats
