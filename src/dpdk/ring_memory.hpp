// SPDX-License-Identifier: BSD-3-Clause
#pragma once

struct rte_ring;

namespace wirespool::dpdk {

// rte_ring_create_elem() for every release of DPDK: in 24.11, rte_ring_elem.h declares it without C linkage for C++, so
// that callers cannot be linked.

// A ring of `size` elements, a power of two, of `element_bytes` each, a multiple of 4; nullptr with rte_errno.
rte_ring* make_ring(const char* name, unsigned element_bytes, unsigned size, int numa_node, unsigned flags) noexcept;

}  // namespace wirespool::dpdk
