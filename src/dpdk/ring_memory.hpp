// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

struct rte_ring;

namespace wirespool::dpdk {

// rte_ring_create_elem() and rte_ring_get_memsize_elem(), for every release of DPDK: that of 24.11 declares them
// without C linkage when C++ includes it (rte_ring_elem.h), so that nothing that calls them there can be linked.

// A ring of `size` elements, a power of two, of `element_bytes` each, a multiple of 4; nullptr with rte_errno.
rte_ring* make_ring(const char* name, unsigned element_bytes, unsigned size, int numa_node, unsigned flags) noexcept;

// What it takes of the hugepages.
std::size_t ring_bytes(unsigned element_bytes, unsigned size) noexcept;

}  // namespace wirespool::dpdk
