// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/block_memory.hpp"

#include <fmt/format.h>
#include <rte_malloc.h>

#include <algorithm>

#include "record/block.hpp"

namespace wirespool::dpdk {

std::expected<std::unique_ptr<BlockMemory>, Error> BlockMemory::take(unsigned blocks, std::uint64_t block_bytes,
                                                                     int numa_node) {
  const auto bytes = record::BlockPool::bytes_needed(blocks, block_bytes);
  void* const start = rte_malloc_socket("wirespool Blocks", bytes, 4096, numa_node < 0 ? SOCKET_ID_ANY : numa_node);
  if (!start)
    return std::unexpected(Error{"hugepages", fmt::format("no memory for {} Blocks of {} bytes", blocks, block_bytes),
                                 "give EAL more memory: more hugepages, or a larger -m with --no-huge",
                                 Error::Kind::not_ready});
  std::unique_ptr<BlockMemory> memory(new BlockMemory({static_cast<std::byte*>(start), bytes}));
  std::ranges::fill(memory->bytes_, std::byte{0});
  return memory;
}

BlockMemory::~BlockMemory() { rte_free(bytes_.data()); }

}  // namespace wirespool::dpdk
