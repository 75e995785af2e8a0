// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "format/file_layout.hpp"
#include "policy/placement.hpp"
#include "record/block.hpp"
#include "record/packet_ref.hpp"

namespace wirespool::record {

// Where an Appender gets empty Blocks and leaves full ones; asked once per Block. Same thread as the Appender.
class BlockDock {
 public:
  virtual ~BlockDock() = default;

  virtual Block* get() noexcept = 0;  // nullptr: none free now, try later
  virtual std::size_t available() const noexcept = 0;

  // The Block is filled for good; it is not the Appender's any more.
  virtual void take_full(Block& block) noexcept = 0;

  // The Block stays the Appender's and will grow: write what is in it. Nothing changes in [0, length). false: the one
  // before has not been looked at yet, so nothing was taken; ask again.
  virtual bool take_tail(Block& block) noexcept = 0;

  // Load of each of the Appender's drives, in Blocks; policy::unusable for one that takes no more.
  virtual std::span<const std::uint32_t> loads() noexcept = 0;

  // Of the Appender's drive `drive`; a file that began when it was another is ended.
  virtual std::uint32_t renewals(std::size_t drive) const noexcept = 0;
};

struct AppenderOptions {
  std::uint32_t first_lane = 0;  // lane of drive d is first_lane + d
  std::uint32_t drives = 1;
  const format::FileLayout* layout = nullptr;  // outlives the Appender; needed
  std::uint32_t block_bytes = 1 << 20;
  std::uint32_t pad_bytes = 4096;  // a short Block is zeroed up to a multiple of this
  std::uint64_t flush_age_ns = 1'000'000'000;
  policy::Rotation rotation;
  ChainCopy copy_chain = nullptr;  // needed if any PacketRef may be in pieces
};

// Turns one Stream of packets into Blocks of logical files, one file at a time on each drive. Knows no file descriptor.
// Used by one lcore. Takes no memory after construction.
//
// While a record fits into the open Block it costs its header and its copy; everything else happens once per Block.
class Appender {
 public:
  Appender(const AppenderOptions& options, BlockDock& dock);

  // Appends in order; returns how many were taken. Fewer than given: no empty Block now (or no usable drive), nothing
  // of the rest was touched. Stamps must not decrease within a call; if the first is earlier than the last one
  // appended, UTC was set back, and new files are begun.
  std::size_t append(std::span<const PacketRef> packets) noexcept {
    return append(packets.data(), packets.data() + packets.size());
  }

  // The same for packets that become PacketRefs only here, without being stored: iterators one can add to and subtract,
  // and that give a PacketRef or a reference to one. Defined in appender_loop.hpp.
  template <typename Packets>
  std::size_t append(Packets first, Packets last) noexcept;

  // Where the layout names sources: what is appended from now on is of this one, and so many of it are missing in front
  // of the first.
  void comes_from(std::uint32_t source, const format::MissingPackets& missing) noexcept;
  // The same said of packets of which none was appended: it is the caller's again to tell.
  format::MissingPackets take_back_missing() noexcept { return std::exchange(missing_, {}); }

  // Called now and then: ends files that are old or were removed, hands out tails that waited for flush_age, gives up
  // drives that are no longer usable.
  void tick(Timestamp now) noexcept;

  // Ends every file. Nothing is appended after.
  void finish() noexcept;

  // Packets in open Blocks, as these say.
  std::int64_t held() const noexcept;

 private:
  // A drive's file as this Appender sees it.
  struct Lane {
    Block* block = nullptr;  // open Block, or none yet
    FileKey file;
    std::uint32_t renewals = 0;     // of the drive when the file began
    std::uint64_t next_offset = 0;  // in the file, of the next Block
    Timestamp file_first;           // stamp of the file's first packet, 0: none yet
    Timestamp waiting_since;        // stamp of the oldest packet not handed out yet, 0: none
  };

  template <typename Packets>
  Packets append_ordered(Packets first, Packets last) noexcept;
  template <typename Packets>
  Packets end_of_second(Packets first, Packets last) noexcept;
  template <typename Packets>
  std::ptrdiff_t append_some(Lane& lane, Packets first, Packets last) noexcept;
  template <class Layout, typename Packets>
  std::ptrdiff_t append_run(Lane& lane, Packets first, Packets last) noexcept;
  bool append_slowly(const PacketRef& packet) noexcept;
  void append_one(Lane& lane, const PacketRef& packet) noexcept;
  format::RecordHead put_record(std::byte* to, const PacketRef& packet) noexcept;
  void spill(Lane& lane, const format::RecordHead& head) noexcept;
  void count(Block& block, const format::RecordHead& head) noexcept;
  void leave_missing() noexcept;
  void carry(Block& block, std::uint32_t done) noexcept;
  bool select_lane() noexcept;
  void open_block(Lane& lane) noexcept;
  void begin_records(Lane& lane, std::uint32_t at, std::uint32_t count, Timestamp first, Timestamp last) noexcept;
  void hand_out(Lane& lane, bool last_of_file) noexcept;
  void end_file(Lane& lane) noexcept;
  void end_all_files() noexcept;
  void flush(Lane& lane) noexcept;
  void pad(Block& block) noexcept;

  AppenderOptions options_;
  BlockDock& dock_;
  std::vector<Lane> lanes_;
  std::size_t current_ = 0;  // lane that takes the next packet
  bool selected_ = false;    // current_ has an open Block
  bool tells_sources_ = false;
  std::uint32_t source_ = 0;
  format::MissingPackets missing_;      // in front of the next packet
  format::PcapRecords::Second second_;  // that of the last packet
  Timestamp last_stamp_;
  std::vector<std::byte> record_;  // a record that does not fit, whole
};

}  // namespace wirespool::record

#include "record/appender_loop.hpp"
