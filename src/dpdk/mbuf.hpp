// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// mbufs as they are received: stamped, looked at a Burst at a time, freed.

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_mempool.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

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

// How much of a frame is to be kept, in a dynamic field of its mbuf: written for each packet by whatever shortens some,
// read where the reference to it is made. offset -1: nothing does, and there is no such field.
struct KeepField {
  static constexpr std::uint32_t everything = UINT32_MAX;
  int offset = -1;

  static KeepField registered();  // offset -1 if no room was left in the mbuf

  bool used() const noexcept { return offset >= 0; }
  std::uint32_t& of(rte_mbuf* mbuf) const noexcept { return *RTE_MBUF_DYNFIELD(mbuf, offset, std::uint32_t*); }
};

// The dynamic fields of a capture's mbufs.
struct MbufFields {
  StampField stamp;
  KeepField keep = {};

  MbufFields(StampField stamps, KeepField kept = {}) : stamp(stamps), keep(kept) {}  // implicit: most have no other
};

// The packets of one receive call, stamped.
struct Burst {
  rte_mbuf** mbufs = nullptr;
  unsigned count = 0;
  rte_mempool* pool = nullptr;  // all mbufs are simple and from this pool; nullptr: each has to be looked at

  Burst behind(unsigned packets) const noexcept { return {mbufs + packets, count - packets, pool}; }
  Burst up_to(unsigned packets) const noexcept { return {mbufs, packets, pool}; }
};

// What the mbufs of a Burst have in common: gathered without a branch in the pass that stamps them, so that they need
// not be looked at one by one again.
class BurstLook {
 public:
  void at(const rte_mbuf& mbuf) noexcept {
    // refcnt and nb_segs, which are adjacent. Neither is ever zero: if only the lowest bit of each is ever set, all are
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

  // The pool of all of them if they are simple, else nullptr. An mbuf is not simple if its only segment is shorter than
  // the packet length that its driver claims.
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

// Puts VLAN tags that the hardware stripped unasked back into the frames; returns by how many bytes these grew in all.
// RX lcore.
std::uint64_t put_tags_back(rte_mbuf** mbufs, unsigned count) noexcept;

// Frees mbufs straight from a receive call. RX lcore.
inline void free_burst(const Burst& burst) noexcept {
  if (burst.count == 0) return;
  if (burst.pool) [[likely]]
    rte_mempool_put_bulk(burst.pool, reinterpret_cast<void* const*>(burst.mbufs), burst.count);
  else
    rte_pktmbuf_free_bulk(burst.mbufs, burst.count);
}

}  // namespace wirespool::dpdk
