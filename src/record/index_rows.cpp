// SPDX-License-Identifier: BSD-3-Clause
#include "record/index_rows.hpp"

#include <algorithm>

#include "format/crc32c.hpp"

namespace wirespool::record {

using format::FilterLine;
using format::KeyCollector;

void IndexRows::take_memory(std::size_t rows, std::uint64_t filter_bytes, bool checksums) {
  entries_.reserve(rows);
  checksums_ = checksums;
  if (filter_bytes == 0) return;
  lines_.reserve(rows);
  most_lines_ = static_cast<std::size_t>(filter_bytes / sizeof(FilterLine));
  // What the collector writes first and is then found to be too much lies after them.
  filters_ = std::make_unique_for_overwrite<FilterLine[]>(most_lines_ + KeyCollector::most_lines);
}

void IndexRows::clear() noexcept {
  entries_.clear();
  lines_.clear();
  used_lines_ = 0;
  head_checksum_ = 0;
}

void IndexRows::add(const format::IndexEntry& entry) noexcept {
  if (entries_.size() == entries_.capacity()) {
    if (keeps_filters()) halve_filters();
    halve_entries(entry.first_record);
  }
  entries_.push_back(entry);
}

void IndexRows::go_on(std::uint32_t sum, std::uint64_t bytes) noexcept {
  auto& checksum = entries_.empty() ? head_checksum_ : entries_.back().checksum;
  checksum = format::crc32c_join(checksum, sum, bytes);
}

void IndexRows::add_filter(KeyCollector& collector) noexcept {
  const std::span<FilterLine, KeyCollector::most_lines> room(filters_.get() + used_lines_, KeyCollector::most_lines);
  const auto lines = collector.take(room);
  const bool fits = used_lines_ + lines <= most_lines_;
  lines_.push_back(fits ? lines : 0);
  used_lines_ += lines_.back();
}

// Half as many rows, each of twice the Blocks. `end`: where the last one ends in the file.
void IndexRows::halve_entries(std::uint64_t end) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); i += 2) {
    auto entry = entries_[i];
    if (i + 1 < entries_.size()) {
      const auto& behind = entries_[i + 1];
      const auto behind_end = i + 2 < entries_.size() ? entries_[i + 2].first_record : end;
      entry.last = behind.last;
      entry.packets += behind.packets;
      if (checksums_)
        entry.checksum = format::crc32c_join(entry.checksum, behind.checksum, behind_end - behind.first_record);
    }
    entries_[kept++] = entry;
  }
  entries_.resize(kept);
}

void IndexRows::halve_filters() noexcept {
  std::size_t kept = 0, from = 0, to = 0;
  for (std::size_t i = 0; i < lines_.size(); i += 2) {
    const auto a = lines_[i];
    const bool alone = i + 1 == lines_.size();
    const auto b = alone ? 0 : lines_[i + 1];
    if (alone) {
      std::copy_n(filters_.get() + from, a, filters_.get() + to);
      lines_[kept] = a;
    } else {
      lines_[kept] = join(from, a, b, to);
    }
    from += a + b;
    to += lines_[kept++];
  }
  lines_.resize(kept);
  used_lines_ = to;
}

// Two filters that follow each other become one of the size of the smaller, at `to`, which is not after them.
std::uint32_t IndexRows::join(std::size_t from, std::uint32_t a, std::uint32_t b, std::size_t to) noexcept {
  const auto lines = std::min(a, b);
  if (lines == 0) return 0;
  for (std::uint32_t line = 0; line < lines; ++line) {
    FilterLine joined{};
    for (std::uint32_t at = line; at < a + b; at += lines) {
      for (std::size_t word = 0; word < joined.size(); ++word) joined[word] |= filters_[from + at][word];
    }
    filters_[to + line] = joined;
  }
  return lines;
}

}  // namespace wirespool::record
