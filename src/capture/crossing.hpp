// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_ring.h>

#include <atomic>
#include <cstdint>

#include "stats/counter.hpp"

namespace wirespool::capture {

// What a look at a ring of one producer and one consumer found, while both go on.
struct CrossingLook {
  std::uint64_t sent = 0, taken = 0;  // elements, since the start
  std::uint64_t there = 0;            // as the ring says
  std::uint64_t missing = 0;          // sent, not taken, not there: at least so many
};

// Both ends of a ring count what passes. An element is counted as sent once it is in the ring, and as taken while it
// still is. So sent - taken is never more than what is in the ring: any excess is lost, not on its way.
class Crossing {
 public:
  // Producer, after the enqueue.
  void sent(std::uint64_t elements) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // x86-64 keeps the order of stores, the compiler need not
    sent_.add(elements);
  }

  // Consumer, before the dequeue is made known.
  void taken(std::uint64_t elements) noexcept {
    taken_.add(elements);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  std::uint64_t sent() const noexcept { return sent_.get(); }

  // Any thread. Elements that move during the look may only seem to be missing: looks again until that cannot be the
  // reason, a limited number of times.
  CrossingLook look(const rte_ring& ring) const noexcept;

 private:
  CrossingLook look_once(const rte_ring& ring) const noexcept;

  alignas(64) stats::Counter sent_;   // the producer's cache line
  alignas(64) stats::Counter taken_;  // the consumer's
};

}  // namespace wirespool::capture
