// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"
#include "storage/small_file.hpp"

namespace wirespool::storage {

// A file written by aligned blocks, hidden until it is whole. Movable, owns its descriptor; closing it without sealing
// leaves the hidden file behind for `repair`. Holds an exclusive flock(2) while open, so that `repair` can tell a file
// of a running capture from one left by a crash.
class DirectFile {
 public:
  enum class Mode { direct, buffered };

  // Creates `hidden_name` (must not exist) in `directory`, which must outlive the file (it may be moved). EINVAL where
  // the file system has no O_DIRECT; nothing is left behind.
  static std::expected<DirectFile, IoError> create(const Directory& directory, std::string hidden_name, Mode mode);

  // Takes over a hidden file that a crash left, open for reading too. EWOULDBLOCK if its capture still runs, ENOENT if
  // it was sealed or removed meanwhile; ELOOP, EMLINK and EINVAL for what no capture makes: symbolic links, hard links,
  // and what is no regular file.
  static std::expected<DirectFile, IoError> adopt(const Directory& directory, std::string hidden_name);

  int fd() const { return fd_.get(); }
  const std::string& hidden_name() const { return hidden_name_; }
  std::uint64_t inode() const noexcept;  // 0: not to be had

  // Allocates [offset, offset + bytes) and makes the file that long (fallocate(2), mode 0), so that direct writes
  // inside do not extend it: ext4 and XFS serialise extending writes. EOPNOTSUPP where the file system cannot.
  std::expected<void, IoError> preallocate(std::uint64_t offset, std::uint64_t bytes);

  // Of a buffered file: all of `bytes`, or an error and some of them.
  std::expected<void, IoError> write(std::uint64_t offset, std::span<const std::byte> bytes);

  std::expected<void, IoError> truncate(std::uint64_t length);

  // Writes at `offset`, of any length and alignment, through the page cache; no direct write may follow. Nothing else
  // is written to the file meanwhile.
  std::expected<void, IoError> append(std::uint64_t offset, std::span<const std::byte> bytes);

  // fdatasync(2), a new date, and fdatasync(2) once more to be sure of it. A kernel reports a failed write only once:
  // after a failed sync, whatever was written since the last good one may be gone, even if later syncs succeed.
  std::expected<void, IoError> sync();

  // Its hidden name is gone, or is another file's: somebody removed it. With has_no_name() it has no name at all, and
  // ends when it is closed.
  bool lost_its_name() const noexcept;
  bool has_no_name() const noexcept;

  // Truncates to `length`, syncs, renames to `final_name` without replacing (renameat2(2) RENAME_NOREPLACE; where the
  // file system has none, linkat(2) + unlinkat(2)), syncs the directory, closes. EEXIST if the name is taken. On an
  // error the file stays hidden and open, except when only the last step, syncing the directory, failed.
  std::expected<void, IoError> seal(std::uint64_t length, const std::string& final_name);

  // The same in steps, after truncate() and sync(); may be called again. ENOENT: lost_its_name().
  std::expected<void, IoError> rename_to(const std::string& final_name);
  std::expected<void, IoError> sync_directory();

  // For a synced file that lost its name: gives it `final_name` through the open descriptor. If it has another name
  // left, it is linked; else its first `length` bytes are copied into a new file (or shared, where the file system has
  // FICLONE), which is synced. `directory` is made again if it was removed too, and still has to be synced. May be
  // called again.
  std::expected<void, IoError> rescue(const Directory& directory, std::uint64_t length, const std::string& final_name);

  // Unlinks the hidden file, if it is there, and closes it: nothing was captured into it.
  std::expected<void, IoError> discard();

 private:
  DirectFile(const Directory& directory, FileDescriptor fd, std::string hidden_name);
  std::expected<void, IoError> sync_once();
  int look_up(const std::string& name) const noexcept;
  std::expected<void, IoError> copy_to(DirectFile& copy, std::uint64_t length);
  std::string path() const { return directory_path_ + "/" + hidden_name_; }

  FileDescriptor fd_;
  int directory_fd_ = -1;  // the Directory's, not owned
  std::string directory_path_;
  std::string hidden_name_;
};

// Whether a capture still writes to a hidden file, without touching the file. A capture holds an flock(2) on it; it
// makes the file microseconds before it locks it, so an empty file counts as in use while a capture of this STEM runs
// there (DirectoryLock).
enum class HiddenFileUse { in_use, left_behind, cannot_tell };
HiddenFileUse use_of_hidden_file(const std::string& directory, const std::string& name, const std::string& stem);

}  // namespace wirespool::storage
