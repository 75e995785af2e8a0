// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "format/bytes.hpp"
#include "format/source_tally.hpp"
#include "policy/writer_shape.hpp"
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

// How far the write of a Block has come. The SpoolWriter's, who alone changes it, by the name of what happened.
class BlockWrite {
 public:
  bool waits() const noexcept { return state_ == State::waiting; }
  bool inflight() const noexcept { return state_ == State::inflight; }
  bool complete() const noexcept { return state_ == State::complete; }
  bool abandoned() const noexcept { return state_ == State::abandoned; }

  std::uint32_t done_bytes() const noexcept { return done_bytes_; }  // of the write
  const Tail& flushed() const noexcept { return flushed_; }      // on the drive by a tail's write; a record ends there
  std::uint64_t began_ns() const noexcept { return began_ns_; }  // the last write, on the steady clock

  // open -> waiting. One whose tail hangs stays abandoned: the kernel may still read it, so nobody else ever gets it.
  void filled() noexcept {
    if (state_ == State::open) state_ = State::waiting;
  }
  // waiting -> inflight
  void began(std::uint64_t now_ns) noexcept {
    assert(waits());
    state_ = State::inflight;
    began_ns_ = now_ns;
  }
  // inflight -> waiting: nothing was written
  void put_off() noexcept { leave_flight(State::waiting); }
  // inflight -> complete, or waiting again if the write was short
  void went_on(std::uint32_t bytes, std::uint32_t of_bytes) noexcept {
    done_bytes_ += bytes;
    leave_flight(done_bytes_ >= of_bytes ? State::complete : State::waiting);
  }
  // inflight -> failed, for good
  void failed() noexcept { leave_flight(State::failed); }
  // -> abandoned, for good: a write of it hangs
  void abandon() noexcept { state_ = State::abandoned; }

  // The tail of an open Block; its state stays.
  void tail_began(std::uint64_t now_ns) noexcept { began_ns_ = now_ns; }
  void tail_ended(const Tail& tail) noexcept { flushed_ = tail; }

 private:
  enum class State : std::uint32_t { open, waiting, inflight, complete, failed, abandoned };
  void leave_flight(State to) noexcept {
    assert(inflight());
    state_ = to;
  }

  State state_ = State::open;
  std::uint32_t done_bytes_ = 0;
  Tail flushed_;
  std::uint64_t began_ns_ = 0;
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
  // Of those that END in it, what each source has: only of files that name sources, else empty. The pool's memory.
  std::span<format::SourceTally> sources = {};

  // CRC-32C of what belongs to the row before this Block's own, and of the rest; only if the capture makes checksums.
  std::uint32_t head_sum = 0, rest_sum = 0;
  // Bytes in front of the first record that starts here: all, if none does.
  std::uint32_t head_bytes() const noexcept { return starts ? first_start : length; }
  // Of a Block that is filled for good.
  void sum_up() noexcept;

  BlockWrite write;

  // Packets that end in it and are not on a drive by a tail's write.
  std::uint64_t unflushed() const noexcept { return tally.packets - write.flushed().tally.packets; }

 private:
  friend class BlockList;
  Block* behind_ = nullptr;  // in the list it is in
};

// Blocks in a row, first in first out. Owns nothing; a Block is in one list at most.
class BlockList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  Block* front() const noexcept { return first_; }  // nullptr: none
  static Block* behind(const Block& block) noexcept { return block.behind_; }

  void push(Block& block) noexcept {
    block.behind_ = nullptr;
    (first_ ? last_->behind_ : first_) = &block;
    last_ = &block;
  }
  Block& pop() noexcept {
    Block& block = *first_;
    first_ = block.behind_;
    return block;
  }

 private:
  Block* first_ = nullptr;
  Block* last_ = nullptr;
};

// All Blocks of one writer, in memory taken at start. Last in, first out, so that a few warm Blocks do the work.
// Single-threaded.
class BlockPool {
 public:
  // Carves `memory` (4096-aligned, owned by the caller, outlives the pool) into Blocks of `block_bytes`.
  // `sources`: that files name.
  BlockPool(std::span<std::byte> memory, std::uint32_t block_bytes, std::size_t sources = 0);

  static std::uint64_t bytes_needed(std::uint64_t blocks, std::uint64_t block_bytes) {
    return blocks * policy::block_stride(block_bytes, carry_capacity);
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
  std::vector<format::SourceTally> tallies_;  // of all Blocks
  std::vector<Block*> free_;
};

}  // namespace wirespool::record
