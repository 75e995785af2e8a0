// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <cstdint>
#include <span>

#include "dpdk/port.hpp"
#include "stats/counter.hpp"

namespace wirespool::dpdk {

// What one TxQueue sent; written by its lcore alone, read by any thread.
struct alignas(64) TxCounters {
  stats::Counter packets, bytes;  // the device took them; bytes without FCS
  stats::Counter refused;         // offered while there was no descriptor free; the same frame may be offered again
};

// One TX queue of a Port that was planned with TX queues (PlannedPort::sends) and is started. One lcore at a time; the
// Port and the counters outlive it.
class TxQueue {
 public:
  TxQueue(const Port& port, unsigned queue, TxCounters& counters)
      : port_(port.id()), queue_(static_cast<std::uint16_t>(queue)), counters_(counters) {}

  // Offers frames to the device in order and returns how many it took: these mbufs are its own from now on, the rest
  // stay the caller's. At most 65535. A frame that the device took may not have left it: see Port::sent().
  unsigned send(std::span<rte_mbuf*> frames) noexcept {
    std::uint64_t bytes = 0;
    for (const rte_mbuf* frame : frames) bytes += frame->pkt_len;
    const unsigned taken = rte_eth_tx_burst(port_, queue_, frames.data(), static_cast<std::uint16_t>(frames.size()));
    for (const rte_mbuf* frame : frames.subspan(taken)) bytes -= frame->pkt_len;
    counters_.packets.add(taken);
    counters_.bytes.add(bytes);
    counters_.refused.add(frames.size() - taken);
    return taken;
  }

 private:
  std::uint16_t port_, queue_;
  TxCounters& counters_;
};

}  // namespace wirespool::dpdk
