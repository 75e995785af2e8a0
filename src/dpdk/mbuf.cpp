// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/mbuf.hpp"

#include <rte_ether.h>

namespace wirespool::dpdk {

StampField StampField::registered() {
  StampField field;
  if (rte_mbuf_dyn_rx_timestamp_register(&field.offset, &field.rx_flag) != 0) field.offset = -1;
  return field;
}

KeepField KeepField::registered() {
  constexpr rte_mbuf_dynfield wanted{
      .name = "wirespool_dynfield_keep", .size = sizeof(std::uint32_t), .align = alignof(std::uint32_t), .flags = 0};
  return {rte_mbuf_dynfield_register(&wanted)};
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

}  // namespace wirespool::dpdk
