// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "storage/io_error.hpp"

namespace wirespool::storage {

// A directory held open, so that names in it can be created, renamed and synced. Movable, owns its descriptor.
class Directory {
 public:
  static std::expected<Directory, IoError> open(const std::string& path);
  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&& other) noexcept;
  ~Directory();

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  std::expected<void, IoError> sync() const;

 private:
  Directory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

// A file written by aligned blocks, hidden until it is whole. Movable, owns its descriptor; closing it without sealing
// leaves the hidden file behind for `repair`. Holds an exclusive flock(2) while open, so that `repair` can tell a file of
// a running capture from one left by a crash.
class DirectFile {
 public:
  enum class Mode { direct, buffered };

  // Creates `hidden_name` (must not exist) in `directory`, which must outlive the file.
  static std::expected<DirectFile, IoError> create(const Directory& directory, std::string hidden_name, Mode mode);
  DirectFile(DirectFile&& other) noexcept;
  DirectFile& operator=(DirectFile&& other) noexcept;
  ~DirectFile();

  int fd() const { return fd_; }
  const std::string& hidden_name() const { return hidden_name_; }

  // Allocates [offset, offset + bytes) and makes the file that long (fallocate(2), mode 0), so that direct writes inside
  // do not extend it: extending writes are serialised by ext4 and XFS.
  std::expected<void, IoError> preallocate(std::uint64_t offset, std::uint64_t bytes);

  std::expected<void, IoError> truncate(std::uint64_t length);
  std::expected<void, IoError> sync();  // fdatasync(2)

  // Truncates to `length`, syncs, renames to `final_name` without replacing (renameat2(2) RENAME_NOREPLACE; where the
  // file system has none, linkat(2) + unlinkat(2)), syncs the directory, closes. On an error the hidden file stays.
  std::expected<void, IoError> seal(std::uint64_t length, const std::string& final_name);

  // Closes and unlinks the hidden file: nothing was captured into it.
  std::expected<void, IoError> discard();

 private:
  DirectFile(const Directory& directory, int fd, std::string hidden_name);
  const Directory* directory_ = nullptr;
  int fd_ = -1;
  std::string hidden_name_;
};

// Writes a small file whole: hidden temporary name, write, fdatasync, rename over `name`, sync the directory.
std::expected<void, IoError> write_small_file(const Directory& directory, const std::string& name,
                                              std::span<const std::byte> content);

// A file that only grows by whole lines (the ledger). Owns its descriptor.
class LineLog {
 public:
  static std::expected<LineLog, IoError> create(const Directory& directory, const std::string& name);  // must not exist
  LineLog(LineLog&& other) noexcept;
  LineLog& operator=(LineLog&& other) noexcept;
  ~LineLog();
  std::expected<void, IoError> append(const std::string& line);  // one write(2) of line + '\n', O_APPEND
  std::expected<void, IoError> sync();

 private:
  explicit LineLog(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

}  // namespace wirespool::storage
