// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "capture/handoff.hpp"
#include "capture/outlet.hpp"
#include "dpdk/refer.hpp"
#include "stats/counters.hpp"

namespace wirespool::capture {

// --until handoff: packets come out of a Handoff, are counted and freed.
class EndingIntake final : public Intake {
 public:
  // `pool`: most mbufs come from it.
  EndingIntake(Handoff& handoff, rte_mempool* pool, stats::WriterCounters& counters)
      : handoff_(handoff), pool_(pool), counters_(counters) {}

  bool serve() noexcept override {
    const auto packets = handoff_.peek(burst);
    if (packets.first.empty()) return false;
    const auto count = end(packets.first) + end(packets.second);
    handoff_.consume(count);
    counters_.taken.add(count);
    return true;
  }
  bool empty() const noexcept override { return handoff_.empty(); }
  std::int64_t held() const noexcept override { return 0; }

 private:
  static constexpr unsigned burst = 64;

  std::size_t end(std::span<const record::PacketRef> packets) noexcept {
    counters_.ended_early.add(packets.size());
    dpdk::free_packets(packets.data(), static_cast<unsigned>(packets.size()), pool_);
    return packets.size();
  }

  Handoff& handoff_;
  rte_mempool* pool_;
  stats::WriterCounters& counters_;
};

}  // namespace wirespool::capture
