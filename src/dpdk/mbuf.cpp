// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/mbuf.hpp"

#include <rte_ether.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace wirespool::dpdk {
namespace {

rte_mbuf* owner_of(const record::PacketRef& packet) noexcept {
  return reinterpret_cast<rte_mbuf*>(reinterpret_cast<std::uintptr_t>(packet.owner) & ~not_simple);
}

}  // namespace

StampField StampField::registered() {
  StampField field;
  if (rte_mbuf_dyn_rx_timestamp_register(&field.offset, &field.rx_flag) != 0) field.offset = -1;
  return field;
}

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

std::uint64_t put_tags_back(rte_mbuf** mbufs, unsigned count) noexcept {
  std::uint64_t longer = 0;
  const auto put_back = [&](rte_mbuf*& mbuf, std::uint16_t tag) {
    mbuf->vlan_tci = tag;
    if (rte_vlan_insert(&mbuf) == 0) longer += RTE_VLAN_HLEN;
  };
  for (unsigned i = 0; i < count; ++i) {
    const auto flags = mbufs[i]->ol_flags;
    const auto outer = mbufs[i]->vlan_tci_outer;
    if (flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED)) put_back(mbufs[i], mbufs[i]->vlan_tci);
    if (flags & RTE_MBUF_F_RX_QINQ_STRIPPED) put_back(mbufs[i], outer);
  }
  return longer;
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
    simple[filled++] = packets[i].owner;
    if (filled == batch) {
      rte_mempool_put_bulk(pool, simple.data(), filled);
      filled = 0;
    }
  }
  if (filled) rte_mempool_put_bulk(pool, simple.data(), filled);
}

}  // namespace wirespool::dpdk
