// SPDX-License-Identifier: BSD-3-Clause
#include "tools/rescue_file.hpp"

#include <cerrno>
#include <cstring>

#include "format/pcap.hpp"
#include "storage/direct_file.hpp"
#include "storage/read_file.hpp"

namespace wirespool::tools {

using storage::IoError;
using storage::ReadFile;

namespace {

constexpr std::size_t buffer_bytes = 1 << 20;

std::expected<bool, IoError> same_content(const std::string& a, const std::string& b) {
  const auto first = ReadFile::open(a), second = ReadFile::open(b);
  if (!first) return std::unexpected(first.error());
  if (!second) return std::unexpected(second.error());
  if (first->size() != second->size()) return false;
  std::vector<std::byte> ours(buffer_bytes), theirs(buffer_bytes);
  for (std::uint64_t at = 0; at < first->size(); at += ours.size()) {
    const auto got = first->read(at, ours);
    const auto other = second->read(at, theirs);
    if (!got) return std::unexpected(got.error());
    if (!other) return std::unexpected(other.error());
    if (*got != *other || std::memcmp(ours.data(), theirs.data(), *got) != 0) return false;
  }
  return true;
}

}  // namespace

std::expected<void, IoError> RescueFile::begin() {
  auto output = storage::OutputFile::create(directory_.path_of(name_), {});
  if (!output) return std::unexpected(output.error());
  output_ = std::move(*output);
  const format::PcapFileHeader header;
  put(std::as_bytes(std::span{&header, 1}));
  return {};
}

std::expected<void, IoError> RescueFile::append(std::span<const std::byte> record) {
  if (!output_) {
    if (auto begun = begin(); !begun) return begun;
  }
  if (buffer_.size() + record.size() > buffer_bytes) {
    if (auto written = flush(); !written) return written;
  }
  put(record);
  return {};
}

std::expected<void, IoError> RescueFile::flush() {
  auto written = output_->write(buffer_);
  buffer_.clear();
  return written;
}

std::expected<void, IoError> RescueFile::seal(std::uint64_t length, const std::string& final_name) {
  if (auto written = flush(); !written) return written;
  output_.reset();
  auto file = storage::DirectFile::adopt(directory_, name_);
  if (!file) return std::unexpected(file.error());
  auto sealed = file->seal(length, final_name);
  if (sealed || sealed.error().code != EEXIST) return sealed;
  const auto same = same_content(directory_.path_of(name_), directory_.path_of(final_name));
  if (!same) return std::unexpected(same.error());
  if (!*same) return sealed;
  return file->discard();
}

}  // namespace wirespool::tools
