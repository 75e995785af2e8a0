// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// Where a tool writes to, from front to back: a file of its own, or standard output. Movable; buffers nothing.
class OutputFile {
 public:
  // Makes or empties `path`, unless it is one of `not_these` by whatever name (EEXIST): the files that are being read.
  // A symbolic link that another user made (ELOOP) and a file that has other names too (EMLINK) are left alone: who can
  // write into the directory may have put them there. Devices and pipes are taken as they are.
  static std::expected<OutputFile, IoError> create(const std::string& path, std::span<const std::string> not_these);
  static std::expected<OutputFile, IoError> standard_output();

  // EPIPE: nobody reads the other end any more (pipe(7); with SIGPIPE ignored, or the process is ended).
  std::expected<void, IoError> write(std::span<const std::byte> bytes);

  // Tells whether all of it was taken; a full drive may say so only now (close(2)).
  std::expected<void, IoError> close();

 private:
  OutputFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
};

}  // namespace wirespool::storage
