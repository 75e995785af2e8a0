// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace wirespool::machine {

// What the kernel says of CLOCK_REALTIME (adjtimex(2)). A daemon (chronyd, ntpd, phc2sys) has to tell it how far the
// clock may be from UTC; between two such reports it lets max_error grow by 500 ppm, and calls the clock unsynchronised
// once that exceeds 16 s.
struct ClockFacts {
  bool synchronised = false;  // else its errors mean nothing
  std::uint64_t max_error_us = 0;
  std::uint64_t estimated_error_us = 0;
};

// Changes nothing; nullopt: the kernel does not answer. Any thread.
std::optional<ClockFacts> look_at_clock();

}  // namespace wirespool::machine
