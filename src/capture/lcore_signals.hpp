// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace wirespool::capture {

// All that crosses to the data path after start, in one word that an RX lcore compares once a round: the lowest bit is
// the stop flag, which an RX lcore raises itself when it received what was asked for; the rest counts changes of gates.
// One "done" per lcore comes back, and which word it has acted on. Late in a stop the control thread adds what writers
// no longer need to wait for.
class StopFlag {
 public:
  static bool stops(std::uint32_t word) noexcept { return (word & stop_bit) != 0; }
  bool stopping() const noexcept { return stops(word()); }
  void stop() noexcept { word_.fetch_or(stop_bit, std::memory_order_relaxed); }

  std::uint32_t word() const noexcept { return word_.load(std::memory_order_acquire); }
  // Call after a gate was opened or closed; returns the word that includes the change. Control thread.
  std::uint32_t gates_changed() noexcept { return word_.fetch_add(gate_step, std::memory_order_release) + gate_step; }
  // Whether a lcore that acted on `seen` knows of `wanted`.
  static bool covers(std::uint32_t seen, std::uint32_t wanted) noexcept {
    return static_cast<std::int32_t>((seen >> 1) - (wanted >> 1)) >= 0;
  }

  // Writes that have been under way for this long hang; 0: everything that is left does.
  static constexpr std::uint64_t wait_for_all = ~std::uint64_t{0};
  std::atomic<std::uint64_t> longest_write_ns{wait_for_all};

 private:
  static constexpr std::uint32_t stop_bit = 1, gate_step = 2;
  alignas(64) std::atomic<std::uint32_t> word_{0};
};

// A port that must not be polled, because it is being reset, has a closed gate.
struct PortGate {
  std::atomic<bool> closed{false};
};

}  // namespace wirespool::capture
