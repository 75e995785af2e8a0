// SPDX-License-Identifier: BSD-3-Clause
#include "stats/ledger.hpp"

#include <fmt/format.h>

namespace wirespool::stats {

std::uint64_t Ledger::lost() const {
  std::uint64_t lost = totals.drop_handoff + totals.drop_drive;
  for (const auto& port : ports) lost += port.lost();
  return lost;
}

std::string Ledger::imbalance() const {
  std::uint64_t by_port = 0;
  for (const auto& port : ports) by_port += port.received;
  if (final && by_port != totals.received)
    return fmt::format("the ports received {} packets, the lcores {}", by_port, totals.received);
  if (totals.in_flight() < 0 || (final && totals.in_flight() != 0))
    return fmt::format("received {} = filtered {} + stored {} + drop_handoff {} + drop_drive {} leaves {} packets",
                       totals.received, totals.filtered, totals.stored, totals.drop_handoff, totals.drop_drive,
                       totals.in_flight());
  return {};
}

}  // namespace wirespool::stats
