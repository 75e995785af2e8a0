// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// mbufs seen as PacketRefs. Here, where the reference is made, and nowhere else it is decided how much of a frame is
// kept: its caplen.

#include <rte_mbuf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "dpdk/mbuf.hpp"
#include "format/header_end.hpp"
#include "record/packet_ref.hpp"

namespace wirespool::dpdk {

// PacketRef::owner is the mbuf's address, with this bit set if it has to go back through rte_pktmbuf_free: chained,
// shared, external, or from another pool. All others go back to their pool in bulk without their header being read
// again.
inline constexpr std::uintptr_t not_simple = 2;
static_assert(not_simple != record::PacketRef::in_pieces);

inline bool is_simple(const record::PacketRef& packet) noexcept { return (packet.owner & not_simple) == 0; }

// Makes PacketRefs of mbufs that are simple (Burst::pool): the whole frame lies in the one segment.
struct WholeRef {
  StampField field;

  record::PacketRef operator()(rte_mbuf* mbuf) const noexcept {
    // Told that it is aligned, the compiler knows that the ref is not in pieces.
    const auto owner = reinterpret_cast<std::uintptr_t>(std::assume_aligned<RTE_CACHE_LINE_MIN_SIZE>(mbuf));
    return {{field.of(mbuf)}, rte_pktmbuf_mtod(mbuf, const std::byte*), owner, mbuf->pkt_len, mbuf->pkt_len};
  }
};

// The same, of frames of which not more than `snaplen` bytes are kept.
struct CutRef {
  StampField field;
  std::uint32_t snaplen = 0;

  record::PacketRef operator()(rte_mbuf* mbuf) const noexcept {
    auto packet = WholeRef{field}(mbuf);
    packet.caplen = std::min(packet.wirelen, snaplen);
    return packet;
  }
};

// Of any mbufs. What a chain really holds is told by copying it: a driver's pkt_len is a claim.
struct AnyRef {
  StampField field;
  std::uint32_t snaplen = 0;

  record::PacketRef operator()(rte_mbuf* mbuf) const noexcept {
    auto packet = CutRef{field, snaplen}(mbuf);
    if (packet.caplen > mbuf->data_len) packet.owner |= record::PacketRef::in_pieces;
    return packet;
  }
};

// Of any mbufs, for free_packets().
struct OwnedRef {
  AnyRef any;
  const rte_mempool* pool = nullptr;

  record::PacketRef operator()(rte_mbuf* mbuf) const noexcept {
    auto packet = any(mbuf);
    const bool simple = mbuf->nb_segs == 1 && mbuf->refcnt == 1 &&
                        (mbuf->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0 && mbuf->pool == pool;
    if (!simple) packet.owner |= not_simple;
    return packet;
  }
};

// What is made of `mbuf`, with at most `caplen` bytes kept.
inline record::PacketRef shortened(record::PacketRef packet, std::uint32_t caplen, const rte_mbuf* mbuf) noexcept {
  packet.caplen = std::min(packet.caplen, caplen);
  if (packet.caplen <= mbuf->data_len) packet.owner &= ~record::PacketRef::in_pieces;
  return packet;
}

// Of mbufs whose KeepField says how much of each is kept: what `Reference` makes of them, shortened.
template <typename Reference>
struct KeptRef {
  Reference reference;
  KeepField keep;

  record::PacketRef operator()(rte_mbuf* mbuf) const noexcept {
    return shortened(reference(mbuf), keep.of(mbuf), mbuf);
  }
};

// What `slice` keeps of a frame that `packet` refers to. Of one in pieces no more than 512 bytes are headers.
std::uint32_t kept_of(const record::PacketRef& packet, const format::Slice& slice) noexcept;

// Of mbufs whose frames are sliced: what `Reference` makes of them, shortened.
template <typename Reference>
struct SlicedRef {
  Reference reference;
  format::Slice slice;

  record::PacketRef operator()(rte_mbuf* mbuf) const noexcept {
    const auto packet = reference(mbuf);
    return shortened(packet, kept_of(packet, slice), mbuf);
  }
};

// Which of these a capture needs, decided at start, and for each Burst by what is known of its mbufs. RX lcore.
class Referrer {
 public:
  // `snaplen`: at most record::max_snaplen; `slice`: of all frames. Where fields.keep is used, it is said for each one.
  Referrer(const MbufFields& fields, std::uint32_t snaplen, std::optional<format::Slice> slice = {}) noexcept
      : field_(fields.stamp),
        snaplen_(snaplen),
        whole_(snaplen >= longest_segment && !slice && !fields.keep.used()),
        keep_(fields.keep),
        slice_(slice) {}

  // Each calls `use` with what refers to the mbufs of a Burst: that are simple; any; and any for free_packets(), which
  // will be given `pool`.
  template <typename Use>
  auto simple(Use use) const noexcept {
    return whole_ ? use(WholeRef{field_}) : shorter(CutRef{field_, snaplen_}, use);
  }
  template <typename Use>
  auto any(Use use) const noexcept {
    return shorter(AnyRef{field_, snaplen_}, use);
  }
  template <typename Use>
  auto owned(const rte_mempool* pool, Use use) const noexcept {
    return shorter(OwnedRef{{field_, snaplen_}, pool}, use);
  }

  bool shortens() const noexcept { return slices() || keep_.used(); }  // further than snaplen does
  bool slices() const noexcept { return slice_.has_value(); }
  // How many of `packets`, which refer to these mbufs, the slice made shorter than they would have been.
  std::uint64_t count_sliced(rte_mbuf* const* mbufs, std::span<const record::PacketRef> packets) const noexcept {
    std::uint64_t sliced = 0;
    for (const auto& packet : packets) {
      const auto most = keep_.used() ? std::min(snaplen_, keep_.of(*mbufs)) : snaplen_;
      sliced += packet.caplen < std::min(packet.wirelen, most);
      ++mbufs;
    }
    return sliced;
  }

 private:
  static constexpr std::uint32_t longest_segment = UINT16_MAX;  // rte_mbuf::data_len

  template <typename Reference, typename Use>
  auto shorter(const Reference& reference, Use use) const noexcept {
    return keep_.used() ? sliced(KeptRef<Reference>{reference, keep_}, use) : sliced(reference, use);
  }
  template <typename Reference, typename Use>
  auto sliced(const Reference& reference, Use use) const noexcept {
    return slice_ ? use(SlicedRef<Reference>{reference, *slice_}) : use(reference);
  }

  StampField field_;
  std::uint32_t snaplen_;
  bool whole_;
  KeepField keep_;
  std::optional<format::Slice> slice_;
};

// mbufs seen as PacketRefs that are made when they are looked at: for Appender::append.
template <typename Reference>
class RefIterator {
 public:
  RefIterator(rte_mbuf* const* at, const Reference& reference) : at_(at), reference_(reference) {}

  record::PacketRef operator*() const noexcept { return reference_(*at_); }
  RefIterator& operator++() noexcept {
    ++at_;
    return *this;
  }
  RefIterator operator+(std::ptrdiff_t mbufs) const noexcept { return {at_ + mbufs, reference_}; }
  std::ptrdiff_t operator-(const RefIterator& other) const noexcept { return at_ - other.at_; }
  bool operator==(const RefIterator& other) const noexcept { return at_ == other.at_; }

 private:
  rte_mbuf* const* at_;
  Reference reference_;
};

// record::ChainCopy for mbuf chains.
std::uint32_t copy_chain(const record::PacketRef& packet, std::uint32_t offset, std::byte* to,
                         std::uint32_t bytes) noexcept;

// Frees what the refs own: those that are simple to `pool`. Any lcore.
void free_packets(const record::PacketRef* packets, unsigned count, rte_mempool* pool) noexcept;

}  // namespace wirespool::dpdk
