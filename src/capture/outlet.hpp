// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mbuf.h>

#include "dpdk/mbuf.hpp"
#include "stats/counters.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::capture {

// Where an RX lcore's Bursts go. Called once per dpdk::Burst, on the RX lcore alone. Every mbuf it is given is handed
// on, or freed next to the line that counts why.
class Outlet {
 public:
  virtual ~Outlet() = default;

  virtual void deliver(const dpdk::Burst& burst) noexcept = 0;
  virtual void tick(Timestamp) noexcept {}                  // a hundred times a second
  virtual void finish() noexcept {}                         // nothing is delivered after
  virtual std::int64_t held() const noexcept { return 0; }  // packets delivered and still here, counted
};

// --until rx: packets end here.
class NoOutlet final : public Outlet {
 public:
  explicit NoOutlet(stats::RxCounters& counters) : counters_(counters) {}

  void deliver(const dpdk::Burst& burst) noexcept override {
    counters_.ended_early.add(burst.count);
    dpdk::free_burst(burst);
  }

 private:
  stats::RxCounters& counters_;
};

}  // namespace wirespool::capture
