// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/clock.hpp"

#include <rte_ethdev.h>
#include <time.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace wirespool::dpdk {
namespace {

constexpr int tries = 5;

bool read_counter(int port, std::uint64_t& count) {
  if (port < 0) {
    count = rte_rdtsc_precise();
    return true;
  }
  return rte_eth_read_clock(static_cast<std::uint16_t>(port), &count) == 0;
}

struct Sample : policy::ClockSample {
  std::uint64_t width = 0;  // ticks in which UTC was read
};

// Reads UTC between two readings of the counter; the tightest of several tries, least disturbed by interrupts.
std::optional<Sample> sample(int port) {
  std::optional<Sample> best;
  std::uint64_t best_width = UINT64_MAX;
  for (int i = 0; i < tries; ++i) {
    std::uint64_t before = 0, after = 0;
    if (!read_counter(port, before)) return std::nullopt;
    const Timestamp utc = utc_now();
    if (!read_counter(port, after)) return std::nullopt;
    if (after - before >= best_width) continue;
    best_width = after - before;
    best = Sample{{{before + best_width / 2}, utc}, best_width};
  }
  return best;
}

}  // namespace

Timestamp utc_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return {static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec)};
}

std::optional<DisciplinedClock> DisciplinedClock::of_tsc() {
  return DisciplinedClock(-1, *sample(-1), static_cast<double>(rte_get_tsc_hz()));
}

std::optional<DisciplinedClock> DisciplinedClock::of_port(std::uint16_t port) {
  const auto first = sample(port);
  if (!first) return std::nullopt;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto second = sample(port);
  if (!second || second->ticks.count <= first->ticks.count || second->utc <= first->utc) return std::nullopt;
  const auto ticks = static_cast<double>(second->ticks.count - first->ticks.count);
  return DisciplinedClock(port, *second, ticks * 1e9 / static_cast<double>(second->utc.ns - first->utc.ns));
}

void DisciplinedClock::discipline() {
  const auto now = sample(port_);
  last_error_ns_.reset();
  if (!now) return;
  timebase_.update(*now);
  const auto& line = timebase_.line();
  const auto sampling_ns = line.to_utc({line.origin.count + now->width}).ns - line.utc_at_origin.ns;
  last_error_ns_ = static_cast<std::uint64_t>(std::llabs(timebase_.last_error_ns())) + sampling_ns;
  if (shared_) shared_->publish(line);
}

}  // namespace wirespool::dpdk
