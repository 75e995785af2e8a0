// SPDX-License-Identifier: BSD-3-Clause
#include "tools/index_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "format/crc32c.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {
namespace {

constexpr std::uint64_t most_named = 8;

// Where the bytes of a row end in the file.
std::uint64_t end_of(const format::Index& index, std::size_t row) {
  return row + 1 == index.entries.size() ? index.header.file_bytes : index.entries[row + 1].first_record;
}

}  // namespace

void IndexCheck::end_row() noexcept {
  if (row_ == 0) return;
  const auto& told = index_->entries[row_ - 1];
  if (told.packets != seen_.packets || told.first != seen_.first || told.last != seen_.last) ++wrong_rows_;
}

void IndexCheck::begin_row(std::uint64_t offset) noexcept {
  end_row();
  lost_ = index_->entries.empty() || index_->entries[row_].first_record != offset;
  ++row_;
  seen_ = {};
}

void IndexCheck::end_checksum() {
  const auto& entry = index_->entries[checksum_row_];
  if (index_->header.has_checksum(entry) && entry.checksum != checksum_) {
    if (wrong_checksums_++ < most_named) first_wrong_.push_back(checksum_row_);
  }
  checksum_ = 0;
  ++checksum_row_;
}

void IndexCheck::head(std::span<const std::byte> bytes) noexcept {
  wrong_head_ = index_ && index_->header.checksums && format::crc32c(bytes) != index_->header.head_checksum;
}

void IndexCheck::bytes(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!index_) return;
  while (!bytes.empty() && checksum_row_ < index_->entries.size()) {
    const auto end = end_of(*index_, checksum_row_);
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - std::min(end, offset)));
    if (index_->header.has_checksum(index_->entries[checksum_row_]))
      checksum_ = format::crc32c(bytes.first(part), checksum_);
    bytes = bytes.subspan(part);
    offset += part;
    if (offset >= end) end_checksum();
  }
}

std::vector<std::string> IndexCheck::problems(std::uint64_t packets, std::uint64_t bytes, Timestamp first,
                                              Timestamp last) {
  std::vector<std::string> problems;
  if (!index_) return problems;
  const auto& header = index_->header;
  const auto differ = [&problems](const char* what, std::uint64_t told, std::uint64_t found) {
    if (told != found) problems.push_back(fmt::format("the index tells of {} {}, the file has {}", told, what, found));
  };
  differ("packets", header.packets, packets);
  differ("packet bytes", header.bytes, bytes);
  if (header.ordered && packets > 0 && (header.first != first || header.last != last)) {
    problems.push_back("the index tells of other times of the first and last packet");
  }
  if (!lost_) end_row();
  if (lost_) problems.push_back(fmt::format("row {} of the index points between two records", row_));
  if (!lost_ && row_ < index_->entries.size()) problems.push_back("the index goes on behind the last packet");
  if (wrong_rows_ > 0)
    problems.push_back(fmt::format("{} rows of the index do not agree with the packets", wrong_rows_));
  const auto changed = changed_blocks();
  problems.insert(problems.end(), changed.begin(), changed.end());
  return problems;
}

std::vector<std::string> IndexCheck::changed_blocks() const {
  std::vector<std::string> problems;
  if (wrong_head_) problems.emplace_back("its header does not have the checksum that the index tells: it was changed");
  for (const auto row : first_wrong_) {
    const auto& entry = index_->entries[row];
    problems.push_back(
        fmt::format("the Block of bytes {} to {} (packets from {} to {}) does not have the checksum that the index "
                    "tells: it was changed",
                    entry.first_record, end_of(*index_, row) - 1, rfc3339(entry.first), rfc3339(entry.last)));
  }
  if (wrong_checksums_ > first_wrong_.size())
    problems.push_back(fmt::format("so do {} more Blocks", wrong_checksums_ - first_wrong_.size()));
  return problems;
}

std::uint64_t IndexCheck::blocks_without_checksum() const noexcept {
  if (!index_) return 0;
  return static_cast<std::uint64_t>(std::ranges::count_if(
      index_->entries, [this](const auto& entry) { return !index_->header.has_checksum(entry); }));
}

}  // namespace wirespool::tools
