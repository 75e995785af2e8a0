// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace wirespool::machine {

// What the kernel says of CLOCK_REALTIME (adjtimex(2)). Somebody (chronyd, ntpd, phc2sys) has to tell it how far from
// UTC that may be; between two such words it lets max_error grow by 500 ppm, and calls the clock unsynchronised after
// 16 s of error.
struct ClockFacts {
  bool synchronised = false;  // else its errors mean nothing
  std::uint64_t max_error_us = 0;
  std::uint64_t estimated_error_us = 0;
};

// Changes nothing; nullopt: the kernel does not answer. Any thread.
std::optional<ClockFacts> look_at_clock();

}  // namespace wirespool::machine
