// SPDX-License-Identifier: BSD-3-Clause
#include "stats/losses.hpp"

#include "support/catch.hpp"

using namespace wirespool::format;
using namespace wirespool::stats;

namespace {

// One port that counts everything, one that knows little.
LedgerLine two_ports() {
  LedgerLine line;
  line.ports = {{.port = 0, .name = "a", .nic_missed = 5, .no_mbuf = 2, .nic_other = 4, .cut_by_driver = 1},
                {.port = 1, .name = "b", .nic_missed = {}, .nic_errors = {}}};
  line.totals.drop_handoff = 3;
  return line;
}

}  // namespace

TEST_CASE("losses of all ports add up, and what one of them does not count is unknown, not 0") {
  const auto losses = losses_of(two_ports());
  CHECK(losses.nic_missed == Loss{5, true});
  CHECK(losses.nic_errors == Loss{0, true});
  CHECK(losses.no_mbuf == Loss{2, false});
  CHECK(losses.nic_other == Loss{4, false});
  CHECK(losses.sum() == 15);
  CHECK(losses.any_unknown());
  CHECK(counted_losses(losses) == " nic_missed 5 nic_other 4 no_mbuf 2 cut_by_driver 1 drop_handoff 3");
  CHECK(unknown_losses(losses) == " nic_missed nic_errors");
}

TEST_CASE("nothing lost and everything counted says nothing") {
  const auto losses = losses_of(LedgerLine{});
  CHECK(losses.sum() == 0);
  CHECK(counted_losses(losses).empty());
  CHECK(unknown_losses(losses).empty());
}

TEST_CASE("what was lost between two lines stays unknown if either does not know, and is never below zero") {
  auto later = two_ports();
  later.ports[0].no_mbuf = 9;
  later.totals.drop_handoff = 1;
  const auto between = losses_of(later) - losses_of(two_ports());
  CHECK(between.no_mbuf == Loss{7, false});
  CHECK(between.nic_missed == Loss{0, true});
  CHECK(between.drop_handoff == 0);
  CHECK((losses_of(later) - Losses{}).nic_missed == Loss{5, true});
}
