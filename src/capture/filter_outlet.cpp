// SPDX-License-Identifier: BSD-3-Clause
#include "capture/filter_outlet.hpp"

#include "record/packet_ref.hpp"

namespace wirespool::capture {

FilterOutlet::FilterOutlet(Outlet& next, const dpdk::PacketFilter& filter, stats::RxCounters& counters)
    : OutletAround(next), filter_(filter), counters_(counters), scratch_(record::max_snaplen) {}

// The mbufs that match move to the front, without a branch for each: a filter's verdicts are hard to predict.
void FilterOutlet::deliver(const Received& received) noexcept {
  const dpdk::Burst& burst = received.burst;
  filter_.judge(burst, verdicts_.data(), scratch_);
  unsigned kept = 0, others = 0;
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < burst.count; ++i) {
    rte_mbuf* const mbuf = burst.mbufs[i];
    const bool keep = verdicts_[i] != 0;
    burst.mbufs[kept] = mbuf;
    others_[others] = mbuf;
    kept += keep;
    others += !keep;
    bytes += keep ? mbuf->pkt_len : 0;
  }
  if (others) leave_out({{others_.data(), others, burst.pool}, received.bytes - bytes, received.queue});
  if (kept) next_.deliver({burst.up_to(kept), bytes, received.queue});
}

void FilterOutlet::leave_out(const Received& received) noexcept {
  count_received(counters_, received);
  counters_.filtered.add(received.burst.count);
  dpdk::free_burst(received.burst);
}

}  // namespace wirespool::capture
