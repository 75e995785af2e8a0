// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
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

  std::string path() const;  // a path by which this process can open it

 private:
  explicit PipeCopy(ScratchFile file) : file_(std::move(file)) {}
  ScratchFile file_;
};

// Whether it is a FIFO, or the name of an own descriptor that leads to a pipe or a socket (/dev/fd/63).
bool is_pipe(const std::string& path) noexcept;

}  // namespace wirespool::storage
