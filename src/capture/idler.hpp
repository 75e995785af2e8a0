// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "plan/capture_plan.hpp"
#include "policy/idle_pace.hpp"
#include "stats/counters.hpp"

namespace wirespool::capture {

// Has the calling thread woken up from sleeps when they are over, and not up to 50 us later (PR_SET_TIMERSLACK,
// prctl(2)). To be called before the thread gives up system calls.
void sleep_exactly() noexcept;

// What an lcore does when a round found nothing, or when what it has finds no room: it goes on, or sleeps as its plan
// and its pace allow (--idle adaptive). One lcore's own; allocates nothing.
class Idler {
 public:
  // `sleeps` outlives it.
  Idler(const plan::PlannedIdle& plan, stats::Sleeps& sleeps);

  // A round found nothing; `found` grows with whatever is found. Whether it slept.
  bool rest(std::uint64_t found) noexcept { return sleeps_at_all_ && look(found); }

 private:
  bool look(std::uint64_t found) noexcept;

  bool sleeps_at_all_;
  double ns_per_tick_;
  policy::IdlePace pace_;
  stats::Sleeps& sleeps_;
};

}  // namespace wirespool::capture
