// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>

#include "policy/timebase.hpp"

namespace wirespool::policy {

// The newest ClockLine, written by one thread and read by lcores without waiting for each other: a sequence lock whose
// fields are atomics, so that a torn read is discarded and never undefined.
class alignas(64) SharedClock {
 public:
  void publish(const ClockLine& line) noexcept {
    const auto version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    origin_.store(line.origin.count, std::memory_order_relaxed);
    utc_.store(line.utc_at_origin.ns, std::memory_order_relaxed);
    slope_.store(line.ns_per_tick_q32, std::memory_order_relaxed);
    epoch_.store(line.epoch, std::memory_order_relaxed);
    version_.store(version + 2, std::memory_order_release);
  }

  // Brings a reader's own copy up to date: one load when nothing changed, which is nearly always.
  void refresh(ClockLine& line, std::uint32_t& version) const noexcept {
    if (version_.load(std::memory_order_acquire) != version) reload(line, version);
  }

 private:
  void reload(ClockLine& line, std::uint32_t& version) const noexcept {
    for (;;) {
      const auto before = version_.load(std::memory_order_acquire);
      if (before & 1) continue;
      const ClockLine read{{origin_.load(std::memory_order_relaxed)},
                           {utc_.load(std::memory_order_relaxed)},
                           slope_.load(std::memory_order_relaxed),
                           epoch_.load(std::memory_order_relaxed)};
      std::atomic_thread_fence(std::memory_order_acquire);
      if (version_.load(std::memory_order_relaxed) != before) continue;
      line = read;
      version = before;
      return;
    }
  }

  std::atomic<std::uint32_t> version_{0};
  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::uint64_t> origin_{0}, utc_{0}, slope_{0};
};

}  // namespace wirespool::policy
