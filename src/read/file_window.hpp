// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "storage/io_error.hpp"
#include "storage/read_file.hpp"

namespace wirespool::read {

// The part of a file that is in memory, moving from front to back. Holds one buffer, taken at the first fill().
class FileWindow {
 public:
  struct Options {
    std::size_t buffer_bytes = 1 << 20;
    bool keep_open = true;  // false: the file is opened for each fill() and closed again
    // Where it ends, by whoever writes it: what is behind is allocated ahead, and may be cut off at any time. nullopt:
    // where it ended when it was opened.
    std::optional<std::uint64_t> stored = {};
  };

  static std::expected<FileWindow, storage::IoError> open(const std::string& path, Options options);
  explicit FileWindow(storage::ReadFile file) : FileWindow(file.path(), {}, std::move(file)) {}

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t offset() const { return offset_; }  // of bytes()[0]
  std::uint64_t limit() const { return limit_; }
  bool was_cut() const { return cut_; }  // the file turned out to end before size()
  std::uint64_t remaining() const { return limit_ > offset_ ? limit_ - offset_ : 0; }

  // What was filled, up to the limit.
  std::span<const std::byte> bytes() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }

  // Makes bytes() at least `wanted` long, if the file reaches that far, and longer if the buffer has room.
  std::expected<void, storage::IoError> fill(std::size_t wanted);

  void consume(std::uint64_t bytes) noexcept;                         // may go beyond bytes()
  void restrict_to(std::uint64_t begin, std::uint64_t end) noexcept;  // goes to `begin`, ends at `end`
  void extend_to(std::uint64_t end) noexcept;                         // it has grown, and ends there
  void release() noexcept;  // gives the buffer and the descriptor back until the next fill()

 private:
  FileWindow(std::string path, Options options, storage::ReadFile file);
  std::expected<void, storage::IoError> make_room(std::size_t wanted);
  std::expected<void, storage::IoError> reopen();
  std::expected<std::size_t, storage::IoError> read(std::uint64_t offset, std::span<std::byte> into);

  std::string path_;
  Options options_;
  std::optional<storage::ReadFile> file_;
  storage::FileIdentity identity_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t limit_ = 0;
  bool cut_ = false;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t advised_ = 0;  // the kernel was told to read ahead up to here; 0: all was in its page cache
};

}  // namespace wirespool::read
