// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>

#include "plan/capture_plan.hpp"

namespace wirespool::dpdk {

// The memory of Blocks in hugepages, on the node of the lcore that uses them, every page touched before the first
// packet.
class BlockMemory {
 public:
  static std::expected<std::unique_ptr<BlockMemory>, Error> take(unsigned blocks, std::uint64_t block_bytes,
                                                                 int numa_node);
  ~BlockMemory();
  BlockMemory(const BlockMemory&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  explicit BlockMemory(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::span<std::byte> bytes_;
};

// rte_ring_create_elem(), for every release of DPDK: that of 24.11 declares it without C linkage when C++ includes it
// (rte_ring_elem.h), so that nothing that calls it there can be linked.

// A ring of `size` elements, a power of two, of `element_bytes` each, a multiple of 4; nullptr with rte_errno.
rte_ring* make_ring(const char* name, unsigned element_bytes, unsigned size, int numa_node, unsigned flags) noexcept;

}  // namespace wirespool::dpdk
