// SPDX-License-Identifier: BSD-3-Clause
#include "record/block.hpp"

#include "format/crc32c.hpp"

namespace wirespool::record {

void Block::sum_up() noexcept {
  const std::span<const std::byte> filled(data, length);
  head_sum = format::crc32c(filled.first(head_bytes()));
  rest_sum = format::crc32c(filled.subspan(head_bytes()));
}

BlockPool::BlockPool(std::span<std::byte> memory, std::uint32_t block_bytes, std::size_t sources) {
  const std::uint64_t stride = bytes_needed(1, block_bytes);
  blocks_.resize(memory.size() / stride);
  tallies_.resize(blocks_.size() * sources);
  free_.reserve(blocks_.size());
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i].data = memory.data() + i * stride + carry_capacity;
    blocks_[i].capacity = block_bytes;
    blocks_[i].sources = std::span(tallies_).subspan(i * sources, sources);
  }
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) free_.push_back(&*block);
}

}  // namespace wirespool::record
