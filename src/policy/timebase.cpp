// SPDX-License-Identifier: BSD-3-Clause
#include "policy/timebase.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace wirespool::policy {
namespace {

// The rate is measured over stretches of this length: long enough for 50 ns of sampling error to be 0.05 ppm, short
// enough to follow NTP's changes of rate.
constexpr double rate_stretch_ns = 1e9;

// More than any slewing or wrong rate amounts to within a period.
constexpr std::int64_t moved_ns = 1'000'000;

std::uint64_t to_q32(double ns_per_tick) {
  return static_cast<std::uint64_t>(std::llround(ns_per_tick * 4294967296.0));
}

std::int64_t signed_difference(std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>(a - b); }

}  // namespace

Timebase::Timebase(ClockSample first, double hz) : anchor_(first), ns_per_tick_(1e9 / hz) {
  line_ = {first.ticks, first.utc, to_q32(ns_per_tick_), 0};
}

const ClockLine& Timebase::update(ClockSample sample) {
  const std::int64_t elapsed = signed_difference(sample.ticks.count, line_.origin.count);
  if (elapsed == 0) return line_;
  if (elapsed < 0) {  // the counter was set back: start anew with it, and UTC goes on
    last_error_ns_ = 0;
    restart(sample);
    return line_;
  }
  const Timestamp predicted = line_.to_utc(sample.ticks);
  last_error_ns_ = signed_difference(sample.utc.ns, predicted.ns);
  if (static_cast<std::uint64_t>(std::llabs(last_error_ns_)) > step_ns) {
    restart(sample);
    return line_;
  }
  learn_rate(sample);
  const double slope = ns_per_tick_ * steer(static_cast<double>(elapsed) * ns_per_tick_, last_error_ns_);
  line_ = {sample.ticks, predicted, to_q32(slope), line_.epoch};
  return line_;
}

void Timebase::learn_rate(ClockSample sample) {
  if (std::llabs(last_error_ns_) >
      moved_ns) {  // UTC was set, or is still being caught up with: no rate to learn from that
    anchor_ = sample;
    return;
  }
  const auto utc = static_cast<double>(signed_difference(sample.utc.ns, anchor_.utc.ns));
  const auto ticks = static_cast<double>(sample.ticks.count - anchor_.ticks.count);
  if (utc > 0) ns_per_tick_ = utc / ticks;
  if (utc >= rate_stretch_ns) anchor_ = sample;
}

double Timebase::steer(double period_ns, std::int64_t error_ns) const {
  const double wanted = static_cast<double>(error_ns) / (steer_periods * period_ns);
  return 1 + std::clamp(wanted, -max_steer, max_steer);
}

void Timebase::restart(ClockSample sample) {
  const bool back = last_error_ns_ < 0;
  line_ = {sample.ticks, sample.utc, to_q32(ns_per_tick_), line_.epoch + (back ? 1 : 0)};
  anchor_ = sample;
}

}  // namespace wirespool::policy
