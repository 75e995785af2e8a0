// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "format/carry.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::record {

// Longest record head that is kept in front of a Block.
using format::carry_capacity;

// Which SpoolFile: one Stream's on one drive; `number` counts that pair's files.
struct FileKey {
  std::uint32_t lane = 0;  // stream * drives + drive
  std::uint32_t number = 0;
  bool operator==(const FileKey&) const = default;
};

// What is known of the packets in a stretch of a file.
struct Tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
};

// What of an open Block is to be written now: all that was in it at one moment.
struct Tail {
  std::uint32_t length = 0;
  Tally tally;
};

// One aligned write on its way from an Appender to a drive. Lives in a BlockPool for the whole capture; owned by one
// lcore at a time: Appender -> SpoolWriter -> pool.
struct Block {
  std::byte* data = nullptr;  // capacity bytes, 4096-aligned; carry_capacity bytes in front belong to it too
  std::uint32_t capacity = 0;

  FileKey file;
  std::uint64_t offset = 0;     // of data[0] in the file
  std::uint32_t length = 0;     // filled bytes
  std::uint32_t continued = 0;  // bytes of its first record that are in earlier Blocks
  std::uint32_t carry = 0;      // the same bytes kept at data - carry, or 0 if they are too many
  bool last_of_file = false;
  Tally tally;  // records that END in this Block
  // Records that START in this Block: the row of the sidecar index.
  std::uint32_t starts = 0;
  std::uint32_t first_start = 0;  // offset in data
  Timestamp first, last;

  // SpoolWriter's, while the Block is on its way.
  // abandoned: a write of it hangs; the kernel may still read it, so nobody else ever gets it
  enum class State : std::uint32_t { waiting, inflight, complete, failed, abandoned };
  State state = State::waiting;
  std::uint32_t written = 0;       // bytes of the write that are done
  Tail flushed;                    // already on the drive by a tail write; a record ends there
  std::uint64_t submitted_ns = 0;  // on the steady clock
  Block* next = nullptr;           // in file order
};

// All Blocks of one writer, in memory taken at start. Last in, first out, so that a few warm Blocks do the work.
// Single-threaded.
class BlockPool {
 public:
  // Carves `memory` (4096-aligned, owned by the caller, outlives the pool) into Blocks of `block_bytes`.
  BlockPool(std::span<std::byte> memory, std::uint32_t block_bytes);

  static std::uint64_t bytes_needed(std::uint64_t blocks, std::uint64_t block_bytes) {
    return blocks * (carry_capacity + (block_bytes + 4095) / 4096 * 4096);
  }

  Block* get() noexcept {
    if (free_.empty()) return nullptr;
    Block* block = free_.back();
    free_.pop_back();
    return block;
  }
  void put(Block& block) noexcept { free_.push_back(&block); }  // never reallocates: reserved at start
  std::size_t available() const noexcept { return free_.size(); }
  std::size_t size() const noexcept { return blocks_.size(); }

 private:
  std::vector<Block> blocks_;
  std::vector<Block*> free_;
};

}  // namespace wirespool::record
