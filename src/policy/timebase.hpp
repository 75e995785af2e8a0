// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// A counter's reading: the TSC or a NIC's clock. Differences only make sense within one counter.
struct Ticks {
  std::uint64_t count = 0;
};

// One counter and UTC read together.
struct ClockSample {
  Ticks ticks;
  Timestamp utc;
};

// A straight line from Ticks to UTC. Copied freely; one multiplication a conversion.
struct ClockLine {
  Ticks origin;
  Timestamp utc_at_origin;
  std::uint64_t ns_per_tick_q32 = 0;  // 2^32 = one nanosecond a tick
  std::uint32_t epoch = 0;            // counts the times UTC itself was stepped back

  // A clock that was found to be wrong gets a line without slope.
  bool usable() const noexcept { return ns_per_tick_q32 != 0; }

  __extension__ using Wide = __int128;

  // Ticks before the origin convert too (a reader may be a moment behind the newest line).
  Timestamp to_utc(Ticks ticks) const noexcept {
    const auto elapsed = static_cast<std::int64_t>(ticks.count - origin.count);
    const auto ns = static_cast<std::int64_t>((static_cast<Wide>(elapsed) * ns_per_tick_q32) >> 32);
    return {utc_at_origin.ns + static_cast<std::uint64_t>(ns)};
  }
};

// Keeps a ClockLine on UTC while a capture runs. Feed it a sample every `period` or so; each update returns the next
// line, which meets the last one at the sample (no jump) and steers the error out over about `steer_periods` periods.
//
// Bounds: with samples every P seconds, a counter whose rate is steady and a UTC clock slewed by up to r (NTP slews by
// at most 500 ppm, adjtimex(2)), a stamp is within P * r plus the sampling error of CLOCK_REALTIME once steered in: 50
// us for P = 100 ms while the kernel is slewing at its limit, below 1 us while it is not. UTC stepped forward by more
// than `step_ns`: the line jumps forward with it. Stepped back by more: the line jumps back and `epoch` grows, so that
// stampers and writers start new files (no file goes backwards). Smaller errors are steered, the slope never leaving 1
// +- `max_steer`.
//
// Control path; one thread.
class Timebase {
 public:
  static constexpr std::uint64_t step_ns = 100'000'000;
  static constexpr double max_steer = 0.01;
  static constexpr double steer_periods = 2;

  // `hz`: a first idea of the counter's rate, corrected by every later sample.
  Timebase(ClockSample first, double hz);

  const ClockLine& line() const { return line_; }
  const ClockLine& update(ClockSample sample);

  // UTC minus line at the last sample, before it was steered out.
  std::int64_t last_error_ns() const { return last_error_ns_; }

 private:
  void learn_rate(ClockSample sample);
  double steer(double period_ns, std::int64_t error_ns) const;
  void restart(ClockSample sample);

  ClockLine line_;
  ClockSample anchor_;  // start of the stretch the rate is measured over
  double ns_per_tick_;
  std::int64_t last_error_ns_ = 0;
};

}  // namespace wirespool::policy
