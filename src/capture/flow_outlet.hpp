// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "capture/outlet.hpp"
#include "dpdk/mbuf.hpp"
#include "flow/flow_table.hpp"

namespace wirespool::capture {

// --flows and --cutoff: each packet of IP is looked up in this RX lcore's table of flows. With --cutoff, packets behind
// the first so many frame bytes of their flow keep their headers alone, or end here; those with SYN, FIN or RST, and
// what is not IP, are kept as they are.
class FlowOutlet final : public OutletAround {
 public:
  struct Setup {
    flow::FlowTable* table = nullptr;  // outlives it
    dpdk::MbufFields fields;           // `keep` is used: headers are kept of what is cut; else nothing is
    std::optional<std::uint64_t> cutoff;
  };
  // `next` and `counters`, its RX lcore's, outlive it.
  FlowOutlet(Outlet& next, const Setup& setup, stats::RxCounters& counters)
      : OutletAround(next), setup_(setup), counters_(counters) {}

  void deliver(const Received& received) noexcept override;
  void tick(Timestamp now) noexcept override;

 private:
  static constexpr unsigned at_once = flow::FlowTable::most_packets;

  std::size_t read(std::span<rte_mbuf*> mbufs) noexcept;
  bool is_behind(const flow::FlowPacket& packet) const noexcept;
  void shorten(std::span<flow::FlowPacket> packets) noexcept;
  void cut(std::span<flow::FlowPacket> packets, const Received& whole) noexcept;
  Received without_cut(const Received& all) noexcept;

  Setup setup_;
  stats::RxCounters& counters_;
  std::array<flow::FlowPacket, at_once> packets_{};
  std::array<rte_mbuf**, at_once> places_{};       // in the Burst, by packet
  std::uint64_t cut_packets_ = 0, cut_bytes_ = 0;  // of this Burst: a null pointer is in their place
};

}  // namespace wirespool::capture
