// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "policy/patience.hpp"
#include "record/appender.hpp"
#include "record/block.hpp"
#include "record/block_keys.hpp"
#include "record/drive.hpp"
#include "record/file_keeper.hpp"
#include "record/file_slot.hpp"
#include "record/lane.hpp"
#include "record/rehoming.hpp"
#include "stats/counters.hpp"
#include "storage/io_queue.hpp"

namespace wirespool::record {

struct SpoolWriterOptions {
  unsigned writer = 0;        // the WW of its files
  std::uint32_t streams = 1;  // Appenders that leave Blocks here
  std::uint32_t depth = 8;    // writes in flight per drive
  Records layout{};
  std::uint32_t block_bytes = 1 << 20;
  std::uint64_t flush_age_ns = 1'000'000'000;
  std::uint64_t grow_bytes = 256ull << 20;  // how far files are preallocated ahead; 0: not
  policy::Rotation rotation;
  std::uint64_t filter_bytes = 0;  // of each file's flow index, at most; 0: it has none
  std::uint64_t patience_ns =
      policy::usual_patience_ns;  // how long a drive may say "try again" (EAGAIN) before it has failed
};

// A writer's drive: shared state, who keeps its files, this writer's books about it.
struct WriterDrive {
  Drive* drive = nullptr;
  FileKeeper* keeper = nullptr;
  stats::DriveCounters* counters = nullptr;
};

// Full Blocks to drives. Owned and used by one writer lcore; nothing here blocks, locks or allocates after
// construction.
//
// A lane is one Stream on one drive. Blocks of a lane are written in any order and retired in file order: a packet
// counts as stored when its Block and all before it in the file are on the drive. So when a write fails, everything
// from there on is still in memory: the file is sealed at the last whole record before it, and the records are appended
// again, as a Stream of their own, to the drives that are left; without any they are counted as drop_drive.
class SpoolWriter {
 public:
  // Slots for all lanes: per lane one open file, the next one, and one being sealed.
  static constexpr std::size_t slots_per_lane = 3;
  static std::size_t lanes(std::uint32_t streams, std::size_t drives) { return (streams + 1) * drives; }
  // Blocks that Appenders do not get: re-homing must be able to go on when everything else is full.
  static std::size_t reserve(std::size_t drives) { return drives + 2; }

  // `slots`: lanes() x slots_per_lane, lane by lane; the keepers serve them. Everything given outlives the writer.
  SpoolWriter(const SpoolWriterOptions& options, std::vector<WriterDrive> drives, std::span<FileSlot> slots,
              BlockPool& pool, storage::IoQueue& queue, stats::WriterCounters& counters);
  ~SpoolWriter();

  // Asks the keepers for the first files of every Stream. Control thread, before the lcore starts.
  void open_first_files();

  // Where the Appender of Stream `stream` leaves its Blocks.
  BlockPort& port(std::uint32_t stream);
  std::uint32_t first_lane(std::uint32_t stream) const { return stream * static_cast<std::uint32_t>(drives_.size()); }

  // What ports do, for Appenders on another lcore whose Blocks arrive here by other means.
  void take_full(Block& block) noexcept;
  void take_tail(Block& block, Tail tail) noexcept;
  Block* get_for_stream() noexcept;  // nullptr: none to spare

  // Starts writes, takes finished ones, retires, re-homes, seals. Whether there was anything to do.
  bool poll() noexcept;
  void tick(Timestamp now) noexcept;  // with the Appenders' ticks: for the re-homed packets

  // Packets of the Blocks that were left here and are not on a drive yet, one Block after the other; less those of the
  // Appenders' open Blocks that a tail has stored already, so that it may be negative.
  std::int64_t held() const noexcept;

  bool any_drive() const noexcept;
  void drop(std::uint64_t packets) noexcept { counters_.drop_drive.add(packets); }  // nothing can take them

  // After the Appenders have finished: ends the re-homed packets' files too. Then poll() until drained().
  void finish() noexcept { finishing_ = true; }
  bool drained() const noexcept { return finishing_ && pool_.available() + abandoned_ == pool_.size(); }

  // Drives whose oldest write has been under way for `longest_ns` (0: all that have anything left) are not waited for
  // any more: they fail, and what was to go there goes to the others, or is counted as drop_drive. Their open files
  // stay hidden, as what hangs may still land in them. Not before a stop: Blocks that hang are lost to the pool.
  void give_up(std::uint64_t longest_ns) noexcept;

  // After the keepers have stopped, control thread: removes files that were opened ahead and never used.
  void discard_unused_files();

 private:
  class Port;

  Lane& lane_of(const Block& block) noexcept { return lanes_[block.file.lane]; }
  WriterDrive& drive_of(const Lane& lane) noexcept { return drives_[lane.drive]; }
  BlockKeys* keys_of(const Lane& lane) noexcept {
    return keys_.empty() ? nullptr : &keys_[static_cast<std::size_t>(&lane - lanes_.data())];
  }

  // to drives
  bool submit_writes() noexcept;
  bool submit_from(Lane& lane) noexcept;
  bool submit_block(Lane& lane, Block& block) noexcept;
  bool submit_tail(Lane& lane) noexcept;
  bool have_file(Lane& lane, std::uint32_t number) noexcept;
  void take_refusal(Lane& lane, FileSlot& slot) noexcept;
  void ask_for_file(FileSlot& slot, const Lane& lane) noexcept;
  void grow_ahead(Lane& lane, const Block& block) noexcept;

  // and back
  bool reap_writes() noexcept;
  void finished(Block& block, std::int32_t result) noexcept;
  void finished_tail(Block& block, std::int32_t result) noexcept;
  void note_flushed(Lane& lane, Block& block, Tail tail) noexcept;
  void ended_write(Lane& lane, std::uint64_t bytes) noexcept;
  bool retire(Lane& lane) noexcept;
  void retire_stored(Lane& lane, Block& block) noexcept;
  void retire_lost(Lane& lane, Block& block) noexcept;
  void count_stored(Lane& lane, Tally stored) noexcept;
  void add_index_row(Lane& lane, const Block& block) noexcept;
  void seal(Lane& lane, std::uint64_t length) noexcept;
  void fail(Lane& lane, int error, const char* doing) noexcept;
  void try_again(Lane& lane, int error) noexcept;
  bool rehome() noexcept;
  bool hangs(const Lane& lane, std::uint64_t longest_ns) const noexcept;
  void abandon(Lane& lane) noexcept;
  void put_back(Block& block) noexcept;

  SpoolWriterOptions options_;
  std::vector<WriterDrive> drives_;
  std::vector<Lane> lanes_;
  std::vector<BlockKeys> keys_;               // one a lane; none without a flow index
  std::vector<std::unique_ptr<Port>> ports_;  // of the Streams, and last the re-homed packets'
  BlockPool& pool_;
  storage::IoQueue& queue_;
  stats::WriterCounters& counters_;
  std::vector<std::uint32_t> loads_;     // per drive
  std::vector<std::uint32_t> inflight_;  // per drive
  std::size_t turn_ = 0;                 // lane that may submit first
  Rehoming rehoming_;
  std::unique_ptr<Appender> rehome_appender_;
  bool finishing_ = false;
  std::size_t abandoned_ = 0;  // Blocks that never come back
  unsigned next_sequence_ = 0;
  unsigned next_hidden_ = 0;
};

}  // namespace wirespool::record
