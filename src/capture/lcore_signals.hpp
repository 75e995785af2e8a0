// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace wirespool::capture {

// All that crosses to the data path after start: one stop flag out, one "done" per lcore back. An RX lcore raises the
// flag itself when it received what was asked for. Late in a stop the control thread adds what writers need not wait
// for any more.
struct StopFlag {
  alignas(64) std::atomic<bool> asked{false};

  bool stopping() const noexcept { return asked.load(std::memory_order_relaxed); }
  void stop() noexcept { asked.store(true, std::memory_order_relaxed); }

  // Writes that have been under way for this long hang; 0: everything that is left does.
  static constexpr std::uint64_t wait_for_all = ~std::uint64_t{0};
  std::atomic<std::uint64_t> longest_write_ns{wait_for_all};
};

// What the capture may still receive before it stops by itself: --packets and --bytes. Touched once per Burst.
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

}  // namespace wirespool::capture
