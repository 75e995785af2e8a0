// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

#include "capture/lcore_signals.hpp"
#include "capture/outlet.hpp"

namespace wirespool::capture {

// What the capture may still receive before it stops by itself: --packets and --bytes, of all RX lcores together.
// Touched once per Burst.
class alignas(64) Allowance {
 public:
  Allowance(std::uint64_t packets, std::uint64_t bytes)
      : packets_(static_cast<std::int64_t>(packets)), bytes_(static_cast<std::int64_t>(bytes)) {}

  // How many of `packets` may be kept.
  unsigned take(unsigned packets) noexcept {
    const auto left = packets_.fetch_sub(packets, std::memory_order_relaxed);
    if (left >= packets) return packets;
    return left > 0 ? static_cast<unsigned>(left) : 0;
  }
  void take_bytes(std::uint64_t bytes) noexcept {
    bytes_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  }
  bool used_up() const noexcept { return packets_used_up() || bytes_used_up(); }
  bool packets_used_up() const noexcept { return packets_.load(std::memory_order_relaxed) <= 0; }
  bool bytes_used_up() const noexcept { return bytes_.load(std::memory_order_relaxed) <= 0; }

 private:
  std::atomic<std::int64_t> packets_;
  std::atomic<std::int64_t> bytes_;
};

// --packets and --bytes: ends the capture when the Allowance is used up.
class LimitOutlet final : public OutletAround {
 public:
  // All outlive it. `counters`: its RX lcore's.
  LimitOutlet(Outlet& next, Allowance& allowance, StopFlag& stop, stats::RxCounters& counters)
      : OutletAround(next), allowance_(allowance), stop_(stop), counters_(counters) {}

  void deliver(const Received& received) noexcept override;
  bool full() const noexcept override { return allowance_.used_up(); }

 private:
  Received keep(const Received& all, unsigned packets) noexcept;

  Allowance& allowance_;
  StopFlag& stop_;
  stats::RxCounters& counters_;
};

}  // namespace wirespool::capture
