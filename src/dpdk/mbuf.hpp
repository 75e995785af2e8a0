// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// mbufs as the rest of wirespool needs them: stamped, seen as PacketRefs, freed.

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_mempool.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "record/packet_ref.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::dpdk {

// Where the stamp lies in every mbuf: the dynamic field that drivers with RTE_ETH_RX_OFFLOAD_TIMESTAMP fill too, and
// the flag they set when they did (rte_mbuf_dyn.h, "rte_dynfield_timestamp"). Registered once, before any port is
// configured.
struct StampField {
  int offset = -1;
  std::uint64_t rx_flag = 0;

  static StampField registered();  // offset -1 if no room was left in the mbuf

  std::uint64_t& of(rte_mbuf* mbuf) const noexcept { return *RTE_MBUF_DYNFIELD(mbuf, offset, std::uint64_t*); }
};

// PacketRef::owner is the mbuf's address, with this bit set if it has to go back through rte_pktmbuf_free: chained,
// shared, external, or from another pool. All others go back to their pool in bulk without their header being read
// again.
inline constexpr std::uintptr_t not_simple = 1;

inline bool is_simple(const record::PacketRef& packet) noexcept {
  return (reinterpret_cast<std::uintptr_t>(packet.owner) & not_simple) == 0;
}

inline bool is_simple(const rte_mbuf* mbuf, const rte_mempool* pool) noexcept {
  return mbuf->nb_segs == 1 && mbuf->refcnt == 1 &&
         (mbuf->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0 && mbuf->pool == pool;
}

// An mbuf that is simple, or whose owner does not matter.
inline record::PacketRef refer(rte_mbuf* mbuf, StampField field) noexcept {
  return {{field.of(mbuf)}, rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf, mbuf->pkt_len, mbuf->data_len};
}

// Any mbuf.
inline record::PacketRef refer(rte_mbuf* mbuf, StampField field, const rte_mempool* pool) noexcept {
  auto packet = refer(mbuf, field);
  if (!is_simple(mbuf, pool))
    packet.owner = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(mbuf) | not_simple);
  return packet;
}

// Mbufs seen as PacketRefs that are made when they are looked at: for Appender::append. Of one segment each, if they
// are known to be simple: nothing has to be compared then.
template <bool simple>
class RefIterator {
 public:
  RefIterator(rte_mbuf* const* at, StampField field) : at_(at), field_(field) {}

  record::PacketRef operator*() const noexcept {
    auto packet = refer(*at_, field_);
    if constexpr (simple) packet.head_bytes = packet.wirelen;
    return packet;
  }
  RefIterator& operator++() noexcept {
    ++at_;
    return *this;
  }
  RefIterator operator+(std::ptrdiff_t mbufs) const noexcept { return {at_ + mbufs, field_}; }
  std::ptrdiff_t operator-(const RefIterator& other) const noexcept { return at_ - other.at_; }
  bool operator==(const RefIterator& other) const noexcept { return at_ == other.at_; }

 private:
  rte_mbuf* const* at_;
  StampField field_;
};

// record::ChainCopy for mbuf chains.
std::uint32_t copy_chain(const record::PacketRef& packet, std::uint32_t offset, std::byte* to,
                         std::uint32_t bytes) noexcept;

// What one receive call gave, stamped.
struct Burst {
  rte_mbuf** mbufs = nullptr;
  unsigned count = 0;
  rte_mempool* pool = nullptr;  // all of them are simple and of this pool; nullptr: each has to be looked at

  Burst behind(unsigned packets) const noexcept { return {mbufs + packets, count - packets, pool}; }
  Burst up_to(unsigned packets) const noexcept { return {mbufs, packets, pool}; }
};

// What the mbufs of a Burst have in common: gathered without a branch in the pass that stamps them, so that nobody has
// to look at each of them for it again.
class BurstLook {
 public:
  void at(const rte_mbuf& mbuf) noexcept {
    // refcnt and nb_segs, which lie side by side. Neither is ever zero: if no bit but the lowest is ever set, all are
    // one.
    std::uint32_t counts;
    std::memcpy(&counts, reinterpret_cast<const std::byte*>(&mbuf) + offsetof(rte_mbuf, refcnt), sizeof counts);
    counts_ |= counts;
    flags_ |= mbuf.ol_flags;
    const auto pool = reinterpret_cast<std::uintptr_t>(mbuf.pool);
    any_pool_ |= pool;
    all_pools_ &= pool;
    bytes_ += mbuf.pkt_len;
    held_ += mbuf.data_len;
  }

  std::uint64_t bytes() const noexcept { return bytes_; }

  bool tags_stripped() const noexcept {
    return (flags_ & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED)) != 0;
  }

  // The pool of all of them if they are simple, else nullptr. One whose only segment does not hold what its driver
  // calls its length is not.
  rte_mempool* simple_pool() const noexcept {
    const bool simple =
        counts_ == one_each && held_ == bytes_ && (flags_ & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0;
    return simple && any_pool_ == all_pools_ ? reinterpret_cast<rte_mempool*>(any_pool_) : nullptr;
  }

 private:
  static constexpr std::uint32_t one_each = 0x0001'0001;
  static_assert(offsetof(rte_mbuf, nb_segs) == offsetof(rte_mbuf, refcnt) + sizeof(std::uint16_t));

  std::uint32_t counts_ = 0;
  std::uint64_t flags_ = 0;
  std::uint64_t bytes_ = 0, held_ = 0;
  std::uintptr_t any_pool_ = 0, all_pools_ = ~std::uintptr_t{0};
};

// Puts VLAN tags that the hardware took off, though nobody asked it to, back into the frames; returns how many bytes
// longer these are together. RX lcore.
std::uint64_t put_tags_back(rte_mbuf** mbufs, unsigned count) noexcept;

// Frees what the refs own. Any lcore.
void free_packets(const record::PacketRef* packets, unsigned count, rte_mempool* pool) noexcept;

// Frees mbufs straight from a receive call. RX lcore.
inline void free_burst(const Burst& burst) noexcept {
  if (burst.count == 0) return;
  if (burst.pool) [[likely]]
    rte_mempool_put_bulk(burst.pool, reinterpret_cast<void* const*>(burst.mbufs), burst.count);
  else
    rte_pktmbuf_free_bulk(burst.mbufs, burst.count);
}

}  // namespace wirespool::dpdk
