// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "flow/flow.hpp"

namespace wirespool::flow {

// Ended records on their way from one RX lcore to the thread that writes them. One thread pushes, one takes; neither
// waits. The memory is the caller's and must outlive it.
class FlowRing {
 public:
  static constexpr std::size_t bytes_needed(std::size_t records) noexcept {
    return std::bit_ceil(records) * sizeof(Flow);
  }

  // `memory`: aligned to a cache line, bytes_needed(records) long.
  FlowRing(std::span<std::byte> memory, std::size_t records) noexcept
      : slots_(reinterpret_cast<Flow*>(memory.data())), mask_(std::bit_ceil(records) - 1) {}

  // False: the ring is full, and nothing was done.
  bool push(const Flow& flow) noexcept {
    const auto at = pushed_.load(std::memory_order_relaxed);
    if (at - taken_seen_ > mask_) {
      taken_seen_ = taken_.load(std::memory_order_acquire);
      if (at - taken_seen_ > mask_) return false;
    }
    slots_[at & mask_] = flow;
    pushed_.store(at + 1, std::memory_order_release);
    return true;
  }

  // Calls use(flow) for the records that are there, at most `most`; returns how many.
  template <typename Use>
  std::size_t take(std::size_t most, Use use) {
    const auto begin = taken_.load(std::memory_order_relaxed);
    const auto end = pushed_.load(std::memory_order_acquire);
    auto at = begin;
    for (; at != end && at - begin < most; ++at) use(static_cast<const Flow&>(slots_[at & mask_]));
    taken_.store(at, std::memory_order_release);
    return at - begin;
  }

 private:
  Flow* slots_;
  std::uint64_t mask_;
  alignas(64) std::atomic<std::uint64_t> pushed_{0};
  std::uint64_t taken_seen_ = 0;  // by the pushing thread
  alignas(64) std::atomic<std::uint64_t> taken_{0};
};

}  // namespace wirespool::flow
