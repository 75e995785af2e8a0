// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/ring_memory.hpp"

// Before anything of DPDK's includes rte_ring_elem.h: all that it needs itself, and then it.
#include <rte_ring_core.h>

extern "C" {
#include <rte_ring_elem.h>
}

namespace wirespool::dpdk {

rte_ring* make_ring(const char* name, unsigned element_bytes, unsigned size, int numa_node, unsigned flags) noexcept {
  return rte_ring_create_elem(name, element_bytes, size, numa_node, flags);
}

}  // namespace wirespool::dpdk
