// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "capture/outlet.hpp"
#include "capture/rx_lcore.hpp"
#include "dpdk/packet_filter.hpp"

namespace wirespool::capture {

// --filter: what does not match is counted as received and as filtered, and freed; the rest goes on in its order.
class FilterOutlet final : public OutletAround {
 public:
  // All outlive it. `counters`: its RX lcore's.
  FilterOutlet(Outlet& next, const dpdk::PacketFilter& filter, stats::RxCounters& counters);

  void deliver(const Received& received) noexcept override;

 private:
  void leave_out(const Received& received) noexcept;

  const dpdk::PacketFilter& filter_;
  stats::RxCounters& counters_;
  std::vector<std::byte> scratch_;
  std::array<std::uint64_t, max_burst> verdicts_;
  std::array<rte_mbuf*, max_burst> others_;
};

}  // namespace wirespool::capture
