// SPDX-License-Identifier: BSD-3-Clause
#include "read/file_window.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wirespool::read {

using storage::IoError;
using storage::ReadFile;

namespace {

constexpr std::uint64_t most_ahead = 8 << 20;

}  // namespace

FileWindow::FileWindow(std::string path, Options options, ReadFile file)
    : path_(std::move(path)),
      options_(options),
      file_(std::move(file)),
      identity_(file_->identity()),
      size_(options.stored.value_or(file_->size())),
      limit_(size_) {}

std::expected<FileWindow, IoError> FileWindow::open(const std::string& path, Options options) {
  auto file = ReadFile::open(path);
  if (!file) return std::unexpected(file.error());
  return FileWindow(path, options, std::move(*file));
}

std::expected<void, IoError> FileWindow::reopen() {
  auto file = ReadFile::open(path_);
  if (!file) return std::unexpected(file.error());
  // The name is another file's now: what was known of this one (its index, its order) does not hold for that.
  if (file->identity() != identity_) return std::unexpected(IoError{"reading " + path_ + ": reopening", ESTALE});
  file_ = std::move(*file);
  return {};
}

// Moves what is left to the front of the buffer; a record that is longer than the buffer gets a longer one.
std::expected<void, IoError> FileWindow::make_room(std::size_t wanted) {
  const auto capacity = std::max({wanted, options_.buffer_bytes, std::size_t{4096}});
  const auto left = end_ - begin_;
  if (!buffer_ || capacity_ < wanted || capacity_ > 2 * capacity) {
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (left > 0) std::memcpy(larger.get(), buffer_.get() + begin_, left);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, left);
  }
  begin_ = 0;
  end_ = left;
  if (!file_) return reopen();
  return {};
}

std::expected<void, IoError> FileWindow::fill(std::size_t wanted) {
  wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, remaining()));
  if (end_ - begin_ >= wanted) return {};
  if (auto room = make_room(wanted); !room) return room;
  const auto next = offset_ + end_;
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(capacity_ - end_, limit_ - next));
  const auto got = read(next, {buffer_.get() + end_, bytes});
  if (!got) return std::unexpected(got.error());
  end_ += *got;
  if (*got < bytes) {  // it has been cut since it was opened
    limit_ = next + *got;
    cut_ = true;
  }
  if (!options_.keep_open) file_.reset();
  return {};
}

// What is in the page cache is just copied. From the first byte that is not, the kernel is told to read ahead.
std::expected<std::size_t, IoError> FileWindow::read(std::uint64_t offset, std::span<std::byte> into) {
  const auto cached = file_->read_cached(offset, into);
  const auto ahead = std::min<std::uint64_t>(most_ahead, 16 * capacity_);
  const bool wait = cached < into.size();
  if ((wait || advised_ > 0) && options_.keep_open && offset + ahead / 2 >= advised_) {
    const auto from = std::max(advised_, offset + cached);
    advised_ = std::min(limit_, offset + ahead);
    if (from < advised_) file_->will_need(from, advised_ - from);
  }
  if (!wait) return cached;
  const auto rest = file_->read(offset + cached, into.subspan(cached));
  return rest ? std::expected<std::size_t, IoError>(cached + *rest) : rest;
}

void FileWindow::consume(std::uint64_t bytes) noexcept {
  offset_ += bytes;
  begin_ = static_cast<std::size_t>(std::min<std::uint64_t>(end_, begin_ + bytes));
  if (begin_ == end_) begin_ = end_ = 0;
}

void FileWindow::restrict_to(std::uint64_t begin, std::uint64_t end) noexcept {
  const bool inside = begin >= offset_ && begin - offset_ <= end_ - begin_;
  if (inside) {
    consume(begin - offset_);
  } else {
    offset_ = begin;
    begin_ = end_ = 0;
    advised_ = 0;
  }
  limit_ = std::min(end, size_);
  if (remaining() < end_ - begin_) end_ = begin_ + static_cast<std::size_t>(remaining());
}

void FileWindow::extend_to(std::uint64_t end) noexcept {
  size_ = std::max(size_, end);
  limit_ = std::max(limit_, end);
}

void FileWindow::release() noexcept {
  buffer_.reset();
  capacity_ = begin_ = end_ = 0;
  file_.reset();
}

}  // namespace wirespool::read
