// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "format/index.hpp"
#include "format/key_set.hpp"

namespace wirespool::record {

// The rows of a SpoolFile's index while the file is written. Takes its memory at start; when it is full, two neighbours
// each become one. Owned by whoever owns the FileSlot it is in. Data path.
class IndexRows {
 public:
  // Control thread. `filter_bytes`: for the filters of all rows (format::filter_bytes_of()); 0: none are kept.
  // `checksums`: rows come with theirs.
  void take_memory(std::size_t rows, std::uint64_t filter_bytes, bool checksums);

  void clear() noexcept;
  // Halves when full; then all rows have their filters.
  void add(const format::IndexEntry& entry) noexcept;
  // `bytes` more belong to the last row; in front of the first one, to the head of the file. `sum`: their CRC-32C.
  void go_on(std::uint32_t sum, std::uint64_t bytes) noexcept;
  // Of the last row, when all its keys are collected. One that there is no more room for may hold anything.
  void add_filter(format::KeyCollector& collector) noexcept;
  void add_unknown_filter() noexcept { lines_.push_back(0); }

  bool keeps_filters() const noexcept { return most_lines_ > 0; }
  bool keeps_checksums() const noexcept { return checksums_; }
  std::uint32_t head_checksum() const noexcept { return head_checksum_; }
  std::span<const format::IndexEntry> entries() const noexcept { return entries_; }
  std::span<const std::uint32_t> lines() const noexcept { return lines_; }
  std::span<const std::byte> filters() const noexcept { return std::as_bytes(std::span(filters_.get(), used_lines_)); }

 private:
  void halve_entries(std::uint64_t end) noexcept;
  void halve_filters() noexcept;
  std::uint32_t join(std::size_t from, std::uint32_t a, std::uint32_t b, std::size_t to) noexcept;

  std::vector<format::IndexEntry> entries_;
  bool checksums_ = false;
  std::uint32_t head_checksum_ = 0;
  std::vector<std::uint32_t> lines_;               // of each row that has its filter
  std::unique_ptr<format::FilterLine[]> filters_;  // untouched until it is used, so that it costs no memory before
  std::size_t most_lines_ = 0;
  std::size_t used_lines_ = 0;
};

}  // namespace wirespool::record
