// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "record/appender.hpp"
#include "record/block.hpp"

namespace wirespool::record {

// Where the Blocks of one writer end: on drives (SpoolWriter), or unwritten (NullSink). Used by the writer's lcore
// alone; nothing here blocks, locks or allocates.
class BlockSink {
 public:
  virtual ~BlockSink() = default;

  // Where the Appender of Stream `stream`, on this lcore, gets its Blocks and leaves them. Lives as long as the sink.
  virtual BlockDock& dock(std::uint32_t stream) noexcept = 0;

  // What ports do, for Appenders on another lcore whose Blocks cross by other means.
  virtual Block* get_for_stream() noexcept = 0;  // nullptr: none to spare
  virtual void take_full(Block& block) noexcept = 0;
  virtual void take_tail(Block& block, Tail tail) noexcept = 0;
  virtual void give_back(Block& block) noexcept = 0;  // it was not used

  // false: no drive is left, nor will be. What comes now is to be dropped.
  virtual bool takes_packets() const noexcept = 0;
  virtual void drop(std::uint64_t packets) noexcept = 0;  // counts them as drop_drive

  // Goes on with what is on its way to drives; whether there was anything to do.
  virtual bool poll() noexcept = 0;
  virtual void tick(Timestamp now) noexcept = 0;  // with the Appenders' ticks, a hundred times a second

  // Packets of the Blocks that were left here and are not on a drive yet, one Block after the other; less those of the
  // Appenders' open Blocks that a tail has stored already, so that it may be negative.
  virtual std::int64_t held() const noexcept = 0;

  virtual std::size_t free_blocks() const noexcept = 0;  // that nobody has

  // After the Appenders have finished. Then poll() until drained().
  virtual void finish() noexcept = 0;
  virtual bool drained() const noexcept = 0;

  // Drives whose oldest write has been under way for `longest_ns` (0: all that have anything left) are not waited for
  // any more: they fail, and what was to go there goes to the others, or is counted as drop_drive. Their open files
  // stay hidden, as what hangs may still land in them. Not before a stop: Blocks that hang are lost to the pool.
  virtual void give_up(std::uint64_t longest_ns) noexcept = 0;

  // Control thread, after the lcore and the keepers have ended: removes files that were opened ahead and never used.
  virtual void discard_unused_files() = 0;
};

}  // namespace wirespool::record
