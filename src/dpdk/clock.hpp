// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_cycles.h>

#include <cstdint>
#include <optional>

#include "policy/shared_clock.hpp"
#include "policy/timebase.hpp"

namespace wirespool::dpdk {

inline policy::Ticks read_tsc() noexcept { return {rte_rdtsc()}; }

// Keeps one counter (the TSC, or a port's clock) on UTC. `discipline` is called by the main lcore every 100 ms or so;
// `shared` is what lcores read.
class DisciplinedClock {
 public:
  static std::optional<DisciplinedClock> of_tsc();
  // Takes 100 ms to find out the clock's rate; nothing if the port has no rte_eth_read_clock.
  static std::optional<DisciplinedClock> of_port(std::uint16_t port);

  void discipline();
  // The distance from the system's clock, in ns, that the last correction found, the sampling's own error included;
  // nullopt: there was none yet, or the reading failed. Control thread.
  std::optional<std::uint64_t> last_error() const { return last_error_ns_; }
  void publish_to(policy::SharedClock& shared) { (shared_ = &shared)->publish(timebase_.line()); }

 private:
  DisciplinedClock(int port, policy::ClockSample first, double hz) : port_(port), timebase_(first, hz) {}

  int port_;  // -1: the TSC
  policy::Timebase timebase_;
  policy::SharedClock* shared_ = nullptr;
  std::optional<std::uint64_t> last_error_ns_;
};

Timestamp utc_now();

}  // namespace wirespool::dpdk
