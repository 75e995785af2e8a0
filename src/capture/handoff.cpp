// SPDX-License-Identifier: BSD-3-Clause
#include "capture/handoff.hpp"

#include <rte_errno.h>

namespace wirespool::capture {

std::expected<Handoff, std::string> Handoff::create(const std::string& name, unsigned size, int numa_node) {
  rte_ring* ring =
      rte_ring_create_elem(name.c_str(), sizeof(spool::PacketRef), size, numa_node, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (!ring) return std::unexpected(std::string(rte_strerror(rte_errno)));
  return Handoff(ring);
}

std::size_t Handoff::bytes_needed(unsigned size) {
  return static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(spool::PacketRef), size));
}

}  // namespace wirespool::capture
