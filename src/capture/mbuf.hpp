// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// mbufs as the rest of wirespool needs them: stamped, seen as PacketRefs, freed.

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_mempool.h>

#include <cstdint>

#include "spool/packet_ref.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::capture {

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

inline bool is_simple(const spool::PacketRef& packet) noexcept {
  return (reinterpret_cast<std::uintptr_t>(packet.owner) & not_simple) == 0;
}

inline bool is_simple(const rte_mbuf* mbuf, const rte_mempool* pool) noexcept {
  return mbuf->nb_segs == 1 && mbuf->refcnt == 1 &&
         (mbuf->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0 && mbuf->pool == pool;
}

inline spool::PacketRef refer(rte_mbuf* mbuf, const rte_mempool* pool, StampField field) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(mbuf);
  return {{field.of(mbuf)},
          rte_pktmbuf_mtod(mbuf, const std::byte*),
          reinterpret_cast<void*>(is_simple(mbuf, pool) ? address : address | not_simple),
          mbuf->pkt_len,
          mbuf->data_len};
}

// Mbufs seen as PacketRefs that are made when they are looked at: for Appender::append.
class RefIterator {
 public:
  RefIterator(rte_mbuf* const* at, const rte_mempool* pool, StampField field) : at_(at), pool_(pool), field_(field) {}

  spool::PacketRef operator*() const noexcept { return refer(*at_, pool_, field_); }
  RefIterator& operator++() noexcept {
    ++at_;
    return *this;
  }
  RefIterator operator+(std::ptrdiff_t mbufs) const noexcept { return {at_ + mbufs, pool_, field_}; }
  std::ptrdiff_t operator-(const RefIterator& other) const noexcept { return at_ - other.at_; }
  bool operator==(const RefIterator& other) const noexcept { return at_ == other.at_; }

 private:
  rte_mbuf* const* at_;
  const rte_mempool* pool_;
  StampField field_;
};

// spool::ChainCopy for mbuf chains.
void copy_chain(const spool::PacketRef& packet, std::uint32_t offset, std::byte* to, std::uint32_t bytes) noexcept;

// Frees what the refs own. Any lcore.
void free_packets(const spool::PacketRef* packets, unsigned count, rte_mempool* pool) noexcept;

// Frees mbufs straight from a receive call, all of one pool. RX lcore.
void free_burst(rte_mbuf** mbufs, unsigned count) noexcept;

// The same for mbufs that are all simple: their headers are not read again.
inline void free_simple_burst(rte_mbuf** mbufs, unsigned count, rte_mempool* pool) noexcept {
  rte_mempool_put_bulk(pool, reinterpret_cast<void* const*>(mbufs), count);
}

}  // namespace wirespool::capture
