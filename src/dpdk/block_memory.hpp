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

}  // namespace wirespool::dpdk
