// SPDX-License-Identifier: BSD-3-Clause
#include "capture/idler.hpp"

#include <rte_cycles.h>
#include <sys/prctl.h>
#include <time.h>

#include "dpdk/clock.hpp"

namespace wirespool::capture {
namespace {

constexpr double ns_per_second = 1e9;

policy::IdleLimits limits_of(const plan::PlannedIdle& plan, double ns_per_tick) {
  const auto ticks = [ns_per_tick](std::uint64_t ns) {
    return static_cast<std::uint64_t>(static_cast<double>(ns) / ns_per_tick);
  };
  return {.longest = ticks(plan.longest_ns),
          .least = ticks(policy::least_idle_sleep_ns),
          .quiet = ticks(plan.quiet_ns),
          .plenty = plan.plenty,
          .loaded_rest = ticks(policy::loaded_rest_ns),
          .late_rest = ticks(policy::late_rest_ns)};
}

}  // namespace

void sleep_exactly() noexcept { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

Idler::Idler(const plan::PlannedIdle& plan, stats::Sleeps& sleeps)
    : sleeps_at_all_(plan.longest_ns != 0),
      ns_per_tick_(ns_per_second / static_cast<double>(rte_get_tsc_hz())),
      pace_(limits_of(plan, ns_per_tick_)),
      sleeps_(sleeps) {}

bool Idler::look(std::uint64_t found) noexcept {
  const auto before = dpdk::read_tsc().count;
  const auto asked = pace_.sleep_at(before, found);
  if (asked == 0) return false;
  const auto ns = [this](std::uint64_t ticks) {
    return static_cast<std::uint64_t>(static_cast<double>(ticks) * ns_per_tick_);
  };
  const timespec length{0, static_cast<long>(ns(asked))};  // below a second
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &length, nullptr);
  const auto took = dpdk::read_tsc().count - before;
  if (pace_.slept(asked, took)) ++sleeps_.overslept;
  sleeps_.asleep_ns.add(ns(took));
  sleeps_.longest_ns.saw(ns(took));
  return true;
}

}  // namespace wirespool::capture
