// SPDX-License-Identifier: BSD-3-Clause
#include "tools/rescue_file.hpp"

namespace wirespool::tools {

using storage::IoError;

namespace {

constexpr std::size_t buffer_bytes = 1 << 20;

}  // namespace

std::expected<void, IoError> RescueFile::begin() {
  auto file = storage::SideFile::create(directory_, name_);
  if (!file) return std::unexpected(file.error());
  file_.emplace(std::move(*file));
  put(front_);
  return {};
}

std::expected<void, IoError> RescueFile::append(std::span<const std::byte> record) {
  if (!file_) {
    if (auto begun = begin(); !begun) return begun;
  }
  if (buffer_.size() + record.size() > buffer_bytes) {
    if (auto written = flush(); !written) return written;
  }
  put(record);
  return {};
}

std::expected<void, IoError> RescueFile::flush() {
  auto written = file_->write(written_, buffer_);
  written_ += buffer_.size();
  buffer_.clear();
  return written;
}

std::expected<void, IoError> RescueFile::finish() {
  if (!file_) return {};
  if (auto written = flush(); !written) return written;
  return file_->sync();
}

std::expected<void, IoError> RescueFile::seal(std::uint64_t length, const std::string& final_name) {
  return file_->keep(length, final_name);
}

}  // namespace wirespool::tools
