// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <utility>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// Writes a small file whole: hidden temporary name `.NAME.tmp`, write, fdatasync, rename over `name`, sync the
// directory. On an error the old `name`, if there was one, is as before and the temporary name is gone. One writer per
// name.
std::expected<void, IoError> write_small_file(const Directory& directory, const std::string& name,
                                              std::span<const std::byte> content);

// An empty file whose name is the message. Durable once the directory is next synced. Any thread.
bool put_marker(const Directory& directory, const std::string& name) noexcept;  // true also if it is there already
void remove_marker(const Directory& directory, const std::string& name) noexcept;
bool is_there(const Directory& directory, const std::string& name) noexcept;  // any file of this name

// A file that only grows by whole lines (the ledger). Movable, owns its descriptor.
class LineLog {
 public:
  static std::expected<LineLog, IoError> create(const Directory& directory, const std::string& name);  // must not exist
  // It may exist, as a file of this name alone; it is made if it does not. A last line that is not whole is cut off.
  static std::expected<LineLog, IoError> resume(const Directory& directory, const std::string& name);
  // One write(2) of line + '\n' at the end (O_APPEND). What a full drive cut short is taken off again.
  // ENOENT: the open file was removed, and nobody would ever read the line.
  std::expected<void, IoError> append(const std::string& line);
  std::expected<void, IoError> sync();
  std::uint64_t bytes() const noexcept;  // as long as it is now; 0: not known

  // The bytes [begin, end), which are a line without its newline.
  std::expected<std::string, IoError> line(std::uint64_t begin, std::uint64_t end) const;
  // Removes all before `offset` and puts `head` in front of the rest, in a new file of the same name: readers of the
  // old one go on reading that. On an error nothing has changed.
  std::expected<void, IoError> begin_anew(const Directory& directory, const std::string& name, const std::string& head,
                                          std::uint64_t offset);

 private:
  static std::expected<LineLog, IoError> open(const Directory& directory, const std::string& name, int how);
  LineLog(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
};

}  // namespace wirespool::storage
