// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mbuf.h>

#include "capture/mbuf.hpp"
#include "stats/counters.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::capture {

// Where an RX lcore's Bursts go. Called once per Burst, on the RX lcore alone. Every mbuf it is given is handed on, or
// freed next to the line that counts why.
class Outlet {
 public:
  virtual ~Outlet() = default;

  virtual void deliver(rte_mbuf** mbufs, unsigned count) noexcept = 0;  // stamped
  virtual void tick(Timestamp) noexcept {}                              // a hundred times a second
  virtual void finish() noexcept {}                                     // nothing is delivered after
};

// --until rx: packets end here.
class NoOutlet final : public Outlet {
 public:
  explicit NoOutlet(stats::RxCounters& counters) : counters_(counters) {}

  void deliver(rte_mbuf** mbufs, unsigned count) noexcept override {
    counters_.filtered.add(count);
    free_burst(mbufs, count);
  }

 private:
  stats::RxCounters& counters_;
};

}  // namespace wirespool::capture
