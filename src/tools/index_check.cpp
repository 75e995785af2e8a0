// SPDX-License-Identifier: BSD-3-Clause
#include "tools/index_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "format/crc32c.hpp"

namespace wirespool::tools {

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

void IndexCheck::end_checksum() noexcept {
  const auto told = index_->entries[checksum_row_].checksum;
  if (told != 0 && told != checksum_) ++wrong_checksums_;
  checksum_ = 0;
  ++checksum_row_;
}

void IndexCheck::bytes(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  if (!index_) return;
  while (!bytes.empty() && checksum_row_ < index_->entries.size()) {
    const bool last = checksum_row_ + 1 == index_->entries.size();
    const auto end = last ? index_->header.file_bytes : index_->entries[checksum_row_ + 1].first_record;
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - std::min(end, offset)));
    if (index_->entries[checksum_row_].checksum != 0) checksum_ = format::crc32c(bytes.first(part), checksum_);
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
  if (wrong_checksums_ > 0)
    problems.push_back(fmt::format("{} Blocks do not have the checksum that the index tells", wrong_checksums_));
  return problems;
}

}  // namespace wirespool::tools
