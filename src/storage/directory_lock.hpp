// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>

#include "storage/direct_file.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// One capture per directory and STEM: an flock(2) on `.STEM.lock`, which holds the owner's process id as text and is
// removed at the end. Movable, owns its descriptor. The lock of a process that died is free.
class DirectoryLock {
 public:
  // EWOULDBLOCK in `code` if another process holds it; `what` then names the directory, the STEM and that process id.
  static std::expected<DirectoryLock, IoError> take(const Directory& directory, const std::string& stem);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock();

 private:
  DirectoryLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

}  // namespace wirespool::storage
