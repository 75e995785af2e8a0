// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// A file without a name, for measuring and trying: it overwrites nothing and is gone when it is closed, however its
// owner ends. Where the file system has no O_TMPFILE, it has a name for the moment between open(2) and unlink(2).
// Movable, owns its descriptor.
class ScratchFile {
 public:
  enum class Mode { direct, buffered };

  // EINVAL where the file system has no O_DIRECT.
  static std::expected<ScratchFile, IoError> create(const std::string& directory, Mode mode);

  int fd() const { return fd_.get(); }
  std::expected<void, IoError> preallocate(std::uint64_t bytes);  // fallocate(2), mode 0
  std::expected<void, IoError> sync();                            // fdatasync(2)

 private:
  ScratchFile(FileDescriptor fd, std::string directory) : fd_(std::move(fd)), directory_(std::move(directory)) {}
  FileDescriptor fd_;
  std::string directory_;
};

}  // namespace wirespool::storage
