// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/refer.hpp"

#include <array>
#include <cstring>

namespace wirespool::dpdk {
namespace {

rte_mbuf* owner_of(const record::PacketRef& packet) noexcept {
  return reinterpret_cast<rte_mbuf*>(packet.owner & ~(not_simple | record::PacketRef::in_pieces));
}

}  // namespace

std::uint32_t copy_chain(const record::PacketRef& packet, std::uint32_t offset, std::byte* to,
                         std::uint32_t bytes) noexcept {
  const rte_mbuf* segment = owner_of(packet);
  while (segment && offset >= segment->data_len) {
    offset -= segment->data_len;
    segment = segment->next;
  }
  const std::byte* const begin = to;
  while (segment && bytes) {
    const std::uint32_t piece = std::min<std::uint32_t>(bytes, segment->data_len - offset);
    std::memcpy(to, rte_pktmbuf_mtod_offset(segment, const std::byte*, offset), piece);
    to += piece;
    bytes -= piece;
    offset = 0;
    segment = segment->next;
  }
  return static_cast<std::uint32_t>(to - begin);
}

std::uint32_t kept_of(const record::PacketRef& packet, const format::Slice& slice) noexcept {
  constexpr std::uint32_t most_headers = 512;
  if (!slice.layer) return slice.bytes;
  if (!packet.is_in_pieces()) return format::header_end({packet.head, packet.caplen}, *slice.layer);
  std::array<std::byte, most_headers> begin;
  const auto bytes = copy_chain(packet, 0, begin.data(), std::min(packet.caplen, most_headers));
  return format::header_end(std::span(begin).first(bytes), *slice.layer);
}

void free_packets(const record::PacketRef* packets, unsigned count, rte_mempool* pool) noexcept {
  constexpr unsigned batch = 64;
  std::array<void*, batch> simple;
  unsigned filled = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (!is_simple(packets[i])) [[unlikely]] {
      rte_pktmbuf_free(owner_of(packets[i]));
      continue;
    }
    simple[filled++] = reinterpret_cast<void*>(packets[i].owner);
    if (filled == batch) {
      rte_mempool_put_bulk(pool, simple.data(), filled);
      filled = 0;
    }
  }
  if (filled) rte_mempool_put_bulk(pool, simple.data(), filled);
}

}  // namespace wirespool::dpdk
