// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/index_file.hpp"
#include "wirespool/packet.hpp"

namespace wirespool::tools {

// Compares a file's index with its records as they are read. Does nothing without an index.
class IndexCheck {
 public:
  explicit IndexCheck(std::optional<format::Index> index) : index_(std::move(index)) {}

  bool compares() const noexcept { return index_.has_value(); }

  // A record at `offset`, in file order.
  void record(std::uint64_t offset, const PacketView& packet) noexcept {
    if (!index_ || lost_) return;
    if (row_ == 0 || (row_ < index_->entries.size() && offset >= index_->entries[row_].first_record)) begin_row(offset);
    if (seen_.packets == 0) seen_.first = packet.time;
    seen_.first = std::min(seen_.first, packet.time);
    seen_.last = std::max(seen_.last, packet.time);
    ++seen_.packets;
  }

  // What lies in front of the first record.
  void head(std::span<const std::byte> bytes) noexcept;
  // The bytes of the file from `offset` on, after its head, in order and without gaps, whether of records or not.
  void bytes(std::uint64_t offset, std::span<const std::byte> bytes);

  // Call at the end of the file, with the totals of its records.
  std::vector<std::string> problems(std::uint64_t packets, std::uint64_t bytes, Timestamp first, Timestamp last);
  // By checksums of the bytes alone, so also for a file whose records cannot be read.
  std::vector<std::string> changed_blocks() const;
  std::uint64_t blocks_without_checksum() const noexcept;

 private:
  void begin_row(std::uint64_t offset) noexcept;
  void end_row() noexcept;
  void end_checksum();

  std::optional<format::Index> index_;
  std::size_t row_ = 0;      // rows begun
  format::IndexEntry seen_;  // of the row begun last
  std::uint64_t wrong_rows_ = 0;
  bool lost_ = false;  // an entry points between two records

  std::size_t checksum_row_ = 0;
  std::uint32_t checksum_ = 0;
  bool wrong_head_ = false;
  std::uint64_t wrong_checksums_ = 0;
  std::vector<std::size_t> first_wrong_;  // the first few wrong rows
};

}  // namespace wirespool::tools
