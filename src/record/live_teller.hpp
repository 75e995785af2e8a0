// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/live_file.hpp"
#include "record/file_slot.hpp"
#include "storage/direct_file.hpp"
#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::record {

// Tells readers of the open files of one drive, by its live file (format/live_file.hpp). The keeper's, on its thread: a
// writer lcore only stores how far a file has come, in its FileSlot. It does not write into the file, nor into a
// mapping of it: a page of one is write-protected whenever the kernel writes it back, and the next store then waits for
// the file system.
class LiveTeller {
 public:
  // `directory` outlives it.
  LiveTeller(const storage::Directory& directory, const std::string& stem, Timestamp start, std::uint64_t flush_age_ns);
  ~LiveTeller() { end(); }
  LiveTeller(const LiveTeller&) = delete;
  LiveTeller& operator=(const LiveTeller&) = delete;

  // What changed since it was told last. The first call makes the file, in place of one that a crash left. An error is
  // given once; it is tried again with the next change.
  std::expected<void, storage::IoError> tell(std::span<FileSlot* const> slots);
  void sealed(std::uint64_t bytes) noexcept;  // one more file, of so many bytes

  void let_go() noexcept;  // closes it, and leaves it there: the drive has failed. tell() makes it anew
  void end() noexcept;     // removes it: nothing is open there any more

 private:
  bool look(std::span<FileSlot* const> slots);
  std::expected<void, storage::IoError> write(std::size_t most_files);

  const storage::Directory& directory_;
  std::string name_;
  format::LiveFile live_;
  std::vector<format::OpenFile> seen_;  // as they are now; memory that is used again
  bool changed_ = true;
  bool refused_ = false;
  bool over_ = false;
  std::optional<storage::DirectFile> file_;
};

}  // namespace wirespool::record
