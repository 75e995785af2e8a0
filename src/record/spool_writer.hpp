// SPDX-License-Identifier: BSD-3-Clause
//
// The life of a Block.
//
//  1. An Appender takes it out of the pool by its BlockDock and fills it: Blocks of one file one after the other, in
//     the Appender's own order.
//  2. Now and then, on an idle link, what is in the open Block is left here as a tail: its write covers all whole
//     records, their packets count as stored when it has ended, and the Appender goes on filling the same Block.
//  3. A full Block, or the last of its file, is left here for good. It is summed up, while it is still in the cache,
//  and
//     goes to the end of its lane: one Stream on one drive.
//  4. Its write begins when its file is open (the lane's keeper opened it beforehand), no tail of the lane is under way
//     and the drive's depth has room. Blocks of a lane are written in any order, side by side.
//  5. The write ends: short, then the rest goes on; to be tried again, but not for ever; failed, then so has the drive.
//  6. A Block is retired when it and all before it in its file are on the drive: its packets count as stored, the
//     writer's BlockListeners hear of it, and it goes back to the pool. The last of its file ends the file: the keeper
//     seals it, and the lane turns to the next one.
//  7. When the drive has failed and nothing of the lane is under way any more, the file is cut after the last whole
//     record in front of the first Block that is not on it. From there on everything is still in memory, and goes to
//     Rehoming instead of the pool.
//  8. What ends in a re-homed Block is appended again, as a Stream of its own, to the drives that are left, out of the
//     Blocks that Appenders do not get; without any drive it is counted as drop_drive. Then the Block goes back to the
//     pool, and the new ones begin at 3.
//  9. A drive that failed is let go of when nothing of a file is left on its way to it, and its files are closed. Once
//     all writers have, its keeper tries now and then whether it takes a write again, and then it is a drive as before.
// 10. A Block whose write hangs at a stop is given up: its packets take step 7, it itself is never used again.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "policy/patience.hpp"
#include "policy/writer_shape.hpp"
#include "record/block_sink.hpp"
#include "record/lane_files.hpp"
#include "record/lane_writes.hpp"
#include "record/listeners.hpp"
#include "record/rehoming.hpp"
#include "record/writer.hpp"
#include "stats/counters.hpp"

namespace wirespool::record {

struct SpoolWriterOptions {
  policy::WriterShape shape;
  unsigned writer = 0;                         // the WW of its files
  std::uint32_t depth = 8;                     // writes in flight per drive
  const format::FileLayout* layout = nullptr;  // outlives it
  std::uint64_t flush_age_ns = 1'000'000'000;
  std::uint64_t grow_bytes = 256ull << 20;  // how far files are preallocated ahead; 0: not
  policy::Rotation rotation;
  std::uint64_t patience_ns = policy::usual_patience_ns;  // how long a drive may say "try again" (EAGAIN)
  bool checksums = false;                                 // Blocks are summed up, for their rows of the index
};

// Full Blocks to drives. Owned and used by one writer lcore; nothing here blocks, locks or allocates after
// construction. Joins the files of each lane and its writes, and what is re-homed.
class SpoolWriter final : public BlockSink {
 public:
  // `slots`: shape.files() of them, lane by lane; the keepers serve them. Asks for the first files of every Stream.
  // Everything given outlives the writer.
  SpoolWriter(const SpoolWriterOptions& options, std::vector<WriterDrive> drives, std::span<FileSlot> slots,
              std::vector<BlockListener*> listeners, BlockPool& pool, storage::IoQueue& queue,
              stats::WriterCounters& counters);
  ~SpoolWriter() override;

  BlockDock& dock(std::uint32_t stream) noexcept override;
  Block* get_for_stream() noexcept override;
  void take_full(Block& block) noexcept override;
  void take_tail(Block& block, Tail tail) noexcept override { begun(block).writes.take_tail(block, tail); }
  void give_back(Block& block) noexcept override { pool_.put(block); }
  bool takes_packets() const noexcept override;
  void drop(std::uint64_t packets) noexcept override { counters_.drop_drive.add(packets); }
  bool poll() noexcept override;
  void tick(Timestamp now) noexcept override;
  std::int64_t held() const noexcept override;
  std::size_t free_blocks() const noexcept override { return pool_.available(); }
  void finish() noexcept override { files_.finishing = true; }
  bool drained() const noexcept override { return files_.finishing && pool_.available() + abandoned_ == pool_.size(); }
  void give_up(std::uint64_t longest_ns) noexcept override;
  void discard_unused_files() override;

 private:
  class Dock;
  struct Lane {
    LaneFiles files;
    LaneWrites writes;
    WriterDrive* drive;
    std::uint32_t number;
    std::uint32_t begun_until = 0;  // one past the newest file of which a Block was left here
  };

  Lane& lane_of(const Block& block) noexcept { return lanes_[block.file.lane]; }
  Lane& begun(const Block& block) noexcept {
    Lane& lane = lane_of(block);
    lane.begun_until = block.file.number + 1;
    return lane;
  }

  bool reap_writes() noexcept;
  bool submit_writes() noexcept;
  bool retire(Lane& lane) noexcept;
  void retire_stored(Lane& lane, Block& block) noexcept;
  void retire_lost(Lane& lane, Block& block) noexcept;
  void count_flushed(Block& block, FileSlot& file) noexcept;
  std::size_t append_again(Block& block, std::span<const PacketRef> packets) noexcept;
  void flushed(Block& block, const Tail& tail) noexcept;
  void count_stored(Tally stored) noexcept;
  void end_file(Lane& lane, const Block& last) noexcept;
  bool rehome() noexcept;
  bool let_go(const WriterDrive& drive) noexcept;
  void look_at(WriterDrive& drive) noexcept;
  void put_back(Block& block) noexcept;

  policy::WriterShape shape_;
  const format::FileLayout& layout_;
  WriterFiles files_;
  std::vector<WriterDrive> drives_;
  std::vector<Lane> lanes_;
  std::vector<BlockListener*> listeners_;
  std::vector<std::unique_ptr<Dock>> docks_;  // of the Streams, and last the re-homed packets'
  BlockPool& pool_;
  storage::IoQueue& queue_;
  stats::WriterCounters& counters_;
  bool checksums_;
  std::vector<std::uint32_t> loads_;  // per drive
  std::size_t turn_ = 0;              // lane that may submit first
  Rehoming rehoming_{layout_};
  std::unique_ptr<Appender> rehome_appender_;
  std::size_t abandoned_ = 0;  // Blocks that never come back
};

}  // namespace wirespool::record
