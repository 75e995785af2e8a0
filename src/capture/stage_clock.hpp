// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_cycles.h>

#include "stats/counter.hpp"

namespace wirespool::capture {

// The build option stage_cycles: without it a StageClock is nothing at all, neither an instruction nor a branch.
#ifdef WIRESPOOL_STAGE_CYCLES
inline constexpr bool counts_cycles = true;
#else
inline constexpr bool counts_cycles = false;
#endif

// An lcore's time, split up: each lap's TSC cycles go to the stage that has just ended. One lcore's own.
class StageClock {
 public:
  void start() noexcept {
    if constexpr (counts_cycles) last_ = rte_rdtsc();
  }
  void lap(stats::Counter& stage) noexcept {
    if constexpr (counts_cycles) {
      const auto now = rte_rdtsc();
      stage.add(now - last_);
      last_ = now;
    }
  }

 private:
  std::uint64_t last_ = 0;
};

}  // namespace wirespool::capture
