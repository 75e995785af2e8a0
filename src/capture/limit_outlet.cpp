// SPDX-License-Identifier: BSD-3-Clause
#include "capture/limit_outlet.hpp"

#include <span>

namespace wirespool::capture {

void LimitOutlet::deliver(const Received& received) noexcept {
  const unsigned packets = allowance_.take(received.burst.count);
  const Received kept = packets == received.burst.count ? received : keep(received, packets);
  allowance_.take_bytes(kept.bytes);
  next_.deliver(kept);
  if (allowance_.used_up()) stop_.stop();
}

// In the dpdk::Burst that reaches --packets, packets after the last one asked for are counted and freed.
Received LimitOutlet::keep(const Received& all, unsigned packets) noexcept {
  Received kept{all.burst.up_to(packets), 0, all.queue};
  for (const rte_mbuf* mbuf : std::span(kept.burst.mbufs, packets)) kept.bytes += mbuf->pkt_len;
  counters_.beyond_limit.add(all.burst.count - packets);
  dpdk::free_burst(all.burst.behind(packets));
  return kept;
}

}  // namespace wirespool::capture
