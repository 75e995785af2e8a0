// SPDX-License-Identifier: BSD-3-Clause
#include "capture/crossing.hpp"

#include <algorithm>

namespace wirespool::capture {
namespace {

constexpr int most_looks = 16;

std::uint64_t read(const stats::Counter& counter) noexcept {
  const auto value = counter.get();
  std::atomic_thread_fence(std::memory_order_acquire);
  return value;
}

}  // namespace

CrossingLook Crossing::look(const rte_ring& ring) const noexcept {
  CrossingLook best = look_once(ring);
  for (int looks = 1; looks < most_looks && best.missing != 0; ++looks) {
    const auto again = look_once(ring);
    if (again.missing <= best.missing) best = again;
  }
  return best;
}

// From the consumer's end to the producer's, so that nothing is seen to leave that did not enter.
CrossingLook Crossing::look_once(const rte_ring& ring) const noexcept {
  const auto sent_before = read(sent_);
  CrossingLook look;
  look.taken = read(taken_);
  look.there = rte_ring_count(&ring);
  std::atomic_thread_fence(std::memory_order_acquire);
  look.sent = read(sent_);
  const auto moved = look.sent - sent_before + read(taken_) - look.taken;
  look.missing = std::max(look.sent, look.taken + look.there + moved) - (look.taken + look.there + moved);
  return look;
}

}  // namespace wirespool::capture
