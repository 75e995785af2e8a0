// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// A file that only grows by whole lines (the ledger). Movable, owns its descriptor.
class LineLog {
 public:
  static std::expected<LineLog, IoError> create(const Directory& directory, const std::string& name);  // must not exist
  // One write(2) of line + '\n' at the end (O_APPEND). What a full drive cut short is taken off again.
  // ENOENT: the file was removed while it is open, and nobody would ever read the line.
  std::expected<void, IoError> append(const std::string& line);
  std::expected<void, IoError> sync();

 private:
  LineLog(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
};

}  // namespace wirespool::storage
