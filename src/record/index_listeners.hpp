// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "record/block_keys.hpp"
#include "record/listeners.hpp"

namespace wirespool::record {

// A row of its file's index for each Block in which a record begins, with the checksum of what of it is in this Block.
class RowListener final : public BlockListener {
 public:
  void retired(const Block& block, FileSlot& file) noexcept override {
    if (block.starts == 0) return;
    file.index.add({block.offset + block.first_start, block.first, block.last, block.starts, block.rest_sum});
  }
  void file_ended(std::uint32_t, FileSlot&) noexcept override {}
};

// And the rest of that checksum, which is in later Blocks. Comes before RowListener.
class ChecksumListener final : public BlockListener {
 public:
  void retired(const Block& block, FileSlot& file) noexcept override {
    if (block.head_bytes() > 0) file.index.go_on(block.head_sum, block.head_bytes());
  }
  void file_ended(std::uint32_t, FileSlot&) noexcept override {}
};

// What each source has in a file, where files say it.
class SourceListener final : public BlockListener {
 public:
  void retired(const Block& block, FileSlot& file) noexcept override {
    for (std::size_t i = 0; i < block.sources.size(); ++i) file.sources[i] += block.sources[i];
  }
  void file_ended(std::uint32_t, FileSlot&) noexcept override {}
};

// And the flow keys of each row. Comes before RowListener: adding a row may need the keys of all rows before it.
class KeyListener final : public BlockListener {
 public:
  KeyListener(std::size_t lanes, const format::FileLayout& layout) {
    for (std::size_t lane = 0; lane < lanes; ++lane) keys_.emplace_back(layout);
  }

  void retired(const Block& block, FileSlot& file) noexcept override {
    BlockKeys& keys = keys_[block.file.lane];
    keys.finish_record(block);
    if (block.starts == 0) return;
    keys.end_row(file.index);
    keys.begin_row(block);
  }
  void file_ended(std::uint32_t lane, FileSlot& file) noexcept override { keys_[lane].end_row(file.index); }

 private:
  std::vector<BlockKeys> keys_;  // by lane
};

}  // namespace wirespool::record
