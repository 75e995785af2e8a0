// SPDX-License-Identifier: BSD-3-Clause
#include "capture/handoff.hpp"

#include <rte_errno.h>

#include "dpdk/ring_memory.hpp"

namespace wirespool::capture {

std::expected<Handoff, std::string> Handoff::create(const std::string& name, unsigned size, int numa_node) {
  rte_ring* ring =
      dpdk::make_ring(name.c_str(), sizeof(record::PacketRef), size, numa_node, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (!ring) return std::unexpected(std::string(rte_strerror(rte_errno)));
  return Handoff(ring);
}

}  // namespace wirespool::capture
