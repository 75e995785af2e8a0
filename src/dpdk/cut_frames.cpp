// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/cut_frames.hpp"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

namespace wirespool::dpdk {
namespace {

std::uint16_t look_at_each(std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count, std::uint16_t,
                           void* frames) {
  for (std::uint16_t i = 0; i < count; ++i) static_cast<CutFrames*>(frames)->look_at(mbufs[i]->pkt_len);
  return count;
}

}  // namespace

std::unique_ptr<CutFrames> CutFrames::count(std::uint16_t port, std::uint16_t queue, unsigned cut_at) {
  std::unique_ptr<CutFrames> frames(new CutFrames(cut_at));
  if (rte_eth_add_rx_callback(port, queue, look_at_each, frames.get()) == nullptr) return nullptr;
  return frames;
}

}  // namespace wirespool::dpdk
