// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// One capture per directory and STEM: an flock(2) on `.STEM.lock`, which holds the owner's process id as text and is
// removed at the end. Movable, owns its descriptors. The lock of a process that died is free.
class DirectoryLock {
 public:
  // EWOULDBLOCK in `code` if another process holds it; `what` then names the directory, the STEM and that process id.
  static std::expected<DirectoryLock, IoError> take(const Directory& directory, const std::string& stem);
  // Whether it is held. Asking takes the lock for an instant, which take() tolerates.
  static bool held(const std::string& directory, const std::string& stem);
  DirectoryLock(DirectoryLock&&) noexcept = default;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock();

 private:
  DirectoryLock(FileDescriptor directory, FileDescriptor lock, std::string name);
  void release() noexcept;

  FileDescriptor directory_;
  FileDescriptor lock_;
  std::string name_;
};

}  // namespace wirespool::storage
