// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

#include "storage/io_error.hpp"
#include "storage/scratch_file.hpp"

namespace wirespool::storage {

// All that comes out of a pipe, in a file without a name, so that it can be read like other files: from any offset, and
// twice. Takes as much room in `directory` as the pipe delivers. Movable; the file is gone with it.
class PipeCopy {
 public:
  // Reads to the end; "-" is standard input. Waits for the writer.
  static std::expected<PipeCopy, IoError> of(const std::string& pipe, const std::string& directory);

  // Of bytes that come otherwise, one after the other.
  static std::expected<PipeCopy, IoError> begin(const std::string& directory);
  std::expected<void, IoError> append(std::span<const std::byte> bytes);

  std::string path() const;  // a path by which this process can open it

 private:
  PipeCopy(ScratchFile file, std::string directory) : file_(std::move(file)), directory_(std::move(directory)) {}
  ScratchFile file_;
  std::string directory_;  // for messages
};

// Whether it is a FIFO, or the name of an own descriptor that leads to a pipe or a socket (/dev/fd/63).
bool is_pipe(const std::string& path) noexcept;

}  // namespace wirespool::storage
