// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "flow/flow.hpp"
#include "flow/flow_ring.hpp"
#include "stats/counter.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::flow {

struct FlowTableOptions {
  std::uint64_t flows = 1 << 20;             // that fit, but for very few by chance
  std::uint64_t seed = 0;                    // of the hash: should be known to nobody outside
  std::uint64_t active_ns = 60'000'000'000;  // a flow's record ends after this, and the next one begins
  std::uint64_t idle_ns = 15'000'000'000;    // a flow ends when nothing came for this long
};

// Written by the table's thread, read by any.
struct alignas(64) FlowCounters {
  stats::Counter begun;         // records that began
  stats::Counter ended;         // and ended, those that were lost included
  stats::Counter full;          // that ended because their bucket was full
  stats::Counter lost;          // that were not taken: the ring was full
  stats::Counter lost_packets;  // which were in these
  stats::Counter packets;       // packets looked at: each is in a record
};

// The flows of one RX lcore, in memory that never grows. Buckets of a cache line say which of their places hold flows
// and when each was last seen. A flow has two buckets; the second is looked at only if the first has overflowed. Where
// both are full, the flow that was silent for longest makes room.
//
// A record that has ended goes to the ring. While the ring is full, a record that should end by time goes on instead,
// and nothing is lost. Only a record that has to make room is lost (FlowCounters::lost), unless `wait` waits.
//
// All times are packets' times; where they go back, no time has passed. One thread.
class FlowTable {
 public:
  static std::size_t bytes_needed(std::uint64_t flows) noexcept;

  // `memory`: bytes_needed(options.flows) long, aligned to a cache line, all zero; must outlive the table, as must
  // `ring`. Without a ring, ended records are dropped. `wait`: may be null; called again and again, instead of
  // losing a record, until the ring has room.
  FlowTable(std::span<std::byte> memory, const FlowTableOptions& options, FlowRing* ring,
            void (*wait)() noexcept = nullptr) noexcept;

  // Counts each packet in its flow's record, and sets FlowPacket::before. At most `most_packets` at once.
  static constexpr std::size_t most_packets = 64;
  void look(std::span<FlowPacket> packets) noexcept;

  // Ends the flows whose time is up in the next few buckets: at most `most_buckets`, and no more than needed to go
  // round all buckets in a quarter of the idle time-out.
  void age(Timestamp now, std::size_t most_buckets) noexcept;

  // Calls use(flow) for every open record, and forgets it. Any thread, once look() and age() are no longer called.
  template <typename Use>
  void take_all(format::FlowEnd end, Use use);

  std::uint64_t open() const noexcept { return counters_.begun.get() - counters_.ended.get(); }
  const FlowCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t places = 7;  // of a bucket

  struct alignas(64) Bucket {
    std::array<std::uint32_t, places> tags{};  // of a flow's hash; 0: nothing there
    std::uint32_t elsewhere = 0;               // flows of this bucket that are in their second one
    std::array<std::uint32_t, places> seen{};  // in units of time_shift; up to grain_units_ behind, never ahead
    std::uint32_t closing = 0;                 // bit by place: FIN or RST was seen, the end is waited for

    bool operator==(const Bucket&) const = default;
  };
  static_assert(sizeof(Bucket) == 64);

  struct Place {
    std::size_t bucket = 0;
    unsigned slot = places;  // places: none
  };
  struct Looked {
    std::uint64_t hash = 0;
    std::size_t home = 0;
    Place place;
  };

  Flow& flow_at(Place place) noexcept { return flows_[place.bucket * places + place.slot]; }
  std::size_t home_of(std::uint64_t hash) const noexcept;
  std::size_t other_of(std::uint64_t hash) const noexcept;
  static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash) | 1; }
  static std::uint32_t match(const Bucket& bucket, std::uint32_t tag) noexcept;
  bool likely_at(std::size_t bucket, Looked& looked) noexcept;
  Place find(const FlowKey& key, const Looked& looked) noexcept;
  Place find_in(std::size_t bucket, const FlowKey& key, std::uint32_t tag) noexcept;

  void count(FlowPacket& packet, const Looked& looked) noexcept;
  void insert(const FlowPacket& packet, const Looked& looked) noexcept;
  Place place_for(const Looked& looked) noexcept;
  Place free_place(std::size_t bucket) const noexcept;
  Place oldest(std::size_t home, std::size_t other) const noexcept;
  void begin(Flow& flow, const FlowPacket& packet) noexcept;
  void begin_record(Flow& flow, const FlowPacket& packet) noexcept;
  bool has_ended(const Flow& flow, const FlowPacket& packet) const noexcept;
  void note_end(Place place, const FlowPacket& packet, unsigned way) noexcept;

  bool give(Flow& flow, format::FlowEnd end) noexcept;
  void give_or_lose(Flow& flow) noexcept;
  void remove(Place place) noexcept;
  bool end_old(std::size_t bucket, std::uint32_t now) noexcept;

  std::span<Bucket> buckets_;
  Flow* flows_;
  FlowTableOptions options_;
  FlowRing* ring_;
  void (*wait_)() noexcept;
  std::uint32_t idle_units_, grain_units_, closing_units_;
  std::size_t cursor_ = 0;
  std::uint64_t aged_ns_ = 0, period_ns_;
  FlowCounters counters_;
};

template <typename Use>
void FlowTable::take_all(format::FlowEnd end, Use use) {
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket)
    for (unsigned slot = 0; slot < places; ++slot) {
      if (buckets_[bucket].tags[slot] == 0) continue;
      auto& flow = flow_at({bucket, slot});
      flow.end = buckets_[bucket].closing >> slot & 1 ? format::FlowEnd::fin : end;
      ++counters_.ended;
      use(static_cast<const Flow&>(flow));
      buckets_[bucket].tags[slot] = 0;
    }
}

}  // namespace wirespool::flow
