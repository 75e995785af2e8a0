// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "policy/patience.hpp"
#include "record/block.hpp"
#include "record/lane_files.hpp"
#include "record/writer.hpp"
#include "storage/io_queue.hpp"

namespace wirespool::record {

// A write's tag, given back with its result: the address of its Block, and whether it is the tail of an open one.
struct WriteTag {
  static std::uint64_t of(Block& block, bool tail) noexcept {
    return reinterpret_cast<std::uint64_t>(&block) | (tail ? 1 : 0);
  }
  static Block& block(std::uint64_t tag) noexcept { return *reinterpret_cast<Block*>(tag & ~std::uint64_t{1}); }
  static bool is_tail(std::uint64_t tag) noexcept { return (tag & 1) != 0; }
};

// The Blocks of one lane that are not retired yet, in file order, and their writes; besides, the tail of the
// Appender's open Block. The writer lcore's; takes no memory after construction.
class LaneWrites {
 public:
  // `depth`: writes of all lanes that may be under way on the drive. `patience_ns`: how long it may say "try again".
  LaneWrites(WriterDrive& drive, storage::IoQueue& queue, std::uint32_t depth, std::uint64_t patience_ns) noexcept
      : drive_(&drive), queue_(&queue), depth_(depth), patience_(patience_ns) {}

  void take_full(Block& block) noexcept;
  void take_tail(Block& block, Tail tail) noexcept;

  bool submit(LaneFiles& files) noexcept;  // what can begin now; whether anything did

  // A write has ended, with its bytes or -errno. What is short goes on, what may pass is tried again, what is final
  // fails the drive. The tail: what is now on the drive, length 0 if it is not.
  void finished(Block& block, std::int32_t result) noexcept;
  Tail finished_tail(Block& block, std::int32_t result) noexcept;

  // Off the front of the lane, nullptr if there is none: a Block that is on the drive; or, when nothing is under way
  // any more, any that will not get there: the drive has failed, or a Block before it in its file did not get there
  // though the drive has been taken back since.
  Block* take_complete() noexcept;
  Block* take_lost(const LaneFiles& files) noexcept;
  bool empty() const noexcept { return blocks_.empty() && inflight_ == 0 && tail_wanted_.length == 0; }

  std::uint64_t held() const noexcept;  // packets not on the drive, modulo 2^64 (see BlockSink::held)

  bool hang(std::uint64_t longest_ns) const noexcept;  // under way for so long; 0: anything is left
  void abandon() noexcept;                             // nothing of it is under way any more, as far as the lane knows

 private:
  bool tail_due() const noexcept { return tail_wanted_.length != 0 && !tail_inflight(); }
  bool tail_inflight() const noexcept { return tail_flying_.length != 0; }
  bool has_room(LaneFiles& files, std::uint32_t file) const noexcept;
  bool submit_block(Block& block, LaneFiles& files) noexcept;
  bool submit_tail(LaneFiles& files) noexcept;
  std::uint32_t whole_units(std::uint32_t bytes) const noexcept;
  void ended(std::uint64_t bytes) noexcept;
  void try_again(int error) noexcept;

  WriterDrive* drive_;
  storage::IoQueue* queue_;
  std::uint32_t depth_;
  policy::Patience patience_;
  BlockList blocks_;
  std::uint32_t inflight_ = 0;  // tails included

  // As much of the open Block as is to be flushed, and as is being written.
  Block* tail_block_ = nullptr;
  Tail tail_wanted_;
  Block* flying_block_ = nullptr;  // while tail_inflight()
  Tail tail_flying_;

  bool gave_up_ = false;  // a write of it failed for good, and the Block is still here
};

}  // namespace wirespool::record
