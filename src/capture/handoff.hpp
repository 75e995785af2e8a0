// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "capture/crossing.hpp"
#include "capture/source_notes.hpp"
#include "record/packet_ref.hpp"

namespace wirespool::capture {

// Packets from one RX lcore to one writer lcore: an rte_ring with a single producer and a single consumer, whose
// elements are PacketRefs. Both sides work in the ring's own memory (rte_ring_peek_zc.h), so a ref is written once and
// read once, and the consumer may give back fewer than it looked at. Owns the ring.
class Handoff {
 public:
  using Spans = std::pair<std::span<record::PacketRef>, std::span<record::PacketRef>>;  // second: after the wrap

  // `size`: a power of two; it holds one packet less.
  static std::expected<Handoff, std::string> create(const std::string& name, unsigned size, int numa_node);
  Handoff(Handoff&& other) noexcept
      : ring_(std::exchange(other.ring_, nullptr)),
        crossing_(std::move(other.crossing_)),
        notes_(std::move(other.notes_)) {}
  Handoff& operator=(Handoff&&) = delete;
  ~Handoff() { rte_ring_free(ring_); }

  // Producer: room for up to `wanted` refs; fill them all, then publish().
  Spans reserve(unsigned wanted) noexcept {
    rte_ring_zc_data memory;
    const unsigned got =
        rte_ring_enqueue_zc_burst_elem_start(ring_, sizeof(record::PacketRef), wanted, &memory, nullptr);
    return spans(memory, got);
  }
  void publish(std::size_t count) noexcept {
    rte_ring_enqueue_zc_elem_finish(ring_, static_cast<unsigned>(count));
    crossing_->sent(count);
  }
  unsigned waiting() const noexcept { return rte_ring_count(ring_); }  // either side: what the consumer has not taken
  unsigned room() const noexcept { return rte_ring_free_count(ring_); }

  // Consumer: looks at up to `wanted` refs; then says how many of them, from the first on, are done with.
  Spans peek(unsigned wanted) noexcept {
    rte_ring_zc_data memory;
    const unsigned got =
        rte_ring_dequeue_zc_burst_elem_start(ring_, sizeof(record::PacketRef), wanted, &memory, nullptr);
    return spans(memory, got);
  }
  void consume(std::size_t count) noexcept {
    crossing_->taken(count);
    rte_ring_dequeue_zc_elem_finish(ring_, static_cast<unsigned>(count));
  }
  bool empty() const noexcept { return rte_ring_empty(ring_); }

  // Where files tell sources, before the lcores start: notes go beside the packets. Else there are none.
  void take_notes() { notes_ = std::make_unique<SourceNotes>(rte_ring_get_size(ring_)); }
  SourceNotes* notes() const noexcept { return notes_.get(); }
  std::uint64_t sent() const noexcept { return crossing_->sent(); }  // producer: packets published so far

  CrossingLook look() const noexcept { return crossing_->look(*ring_); }  // any thread

 private:
  explicit Handoff(rte_ring* ring) : ring_(ring), crossing_(std::make_unique<Crossing>()) {}

  static Spans spans(const rte_ring_zc_data& memory, unsigned count) noexcept {
    if (count == 0) return {};
    return {{static_cast<record::PacketRef*>(memory.ptr1), memory.n1},
            {static_cast<record::PacketRef*>(memory.ptr2), count - memory.n1}};
  }

  rte_ring* ring_;
  std::unique_ptr<Crossing> crossing_;
  std::unique_ptr<SourceNotes> notes_;
};

}  // namespace wirespool::capture
