// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "policy/placement.hpp"
#include "record/block.hpp"
#include "record/file_slot.hpp"
#include "record/writer.hpp"

namespace wirespool::record {

// What the files of all lanes of one writer have in common. The writer lcore's.
struct WriterFiles {
  unsigned writer = 0;           // the WW of their names
  std::uint64_t grow_bytes = 0;  // how far they are preallocated ahead; 0: not
  policy::Rotation rotation;
  unsigned next_sequence = 0;  // of a sealed name
  unsigned next_hidden = 0;    // of a hidden one
  bool finishing = false;      // no file is opened ahead any more
};

// The files of one lane, one after the other: the one that is written, and those in front of it and after it that are
// their keeper's just now. Never waits for a file. The writer lcore's; takes no memory after construction.
class LaneFiles {
 public:
  // `slots`: taken in turn.
  LaneFiles(WriterFiles& writer, WriterDrive& drive, std::span<FileSlot> slots) noexcept
      : writer_(&writer), drive_(&drive), slots_(slots) {}

  void open_ahead() noexcept;  // asks for the file that is written and the next one

  // Whether file `number` takes writes now. If it is still to be opened it is asked for; if that was refused for good,
  // the drive has failed.
  bool ready(std::uint32_t number) noexcept;
  FileSlot& current() noexcept { return slots_[slot_]; }
  int fd() noexcept { return current().file->fd(); }

  void grow_ahead(const Block& block) noexcept;  // of the Block a write just began
  // `end`: all bytes of the file up to there are on the drive. `record_at`: a record begins there; 0: it is not known.
  void stored(Timestamp first, Timestamp last, Tally stored, std::uint64_t end, std::uint64_t record_at) noexcept;
  void trim_behind_tail(std::uint64_t length) noexcept;

  // The drive is gone, and this is the first Block that is not on it: the file ends before it.
  void cut_before(const Block& block) noexcept;
  bool is_cut() const noexcept { return cut_.has_value(); }

  // Hands the file to its keeper, `length` bytes of it or up to its cut, and turns to the next one.
  void end(std::uint64_t length) noexcept;

  std::uint32_t ended() const noexcept { return number_; }  // how many files

  // The drive has failed, and no Block of the current file is anywhere: has what was opened ahead closed. Whether all
  // is; ask again if not.
  bool let_go() noexcept;

  void leave() noexcept { left_ = true; }  // writes of it hang: nothing of it is sealed or removed any more
  void discard_unused();

 private:
  FileSlot& next() noexcept { return slots_[(slot_ + 1) % slots_.size()]; }
  void ask_for(FileSlot& slot) noexcept;
  void take_refusal(FileSlot& slot) noexcept;

  WriterFiles* writer_;
  WriterDrive* drive_;
  std::span<FileSlot> slots_;
  std::size_t slot_ = 0;      // that of file number_
  std::uint32_t number_ = 0;  // of the file that is written
  std::optional<std::uint64_t> cut_;
  bool left_ = false;
};

}  // namespace wirespool::record
