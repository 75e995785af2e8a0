// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "format/index_file.hpp"
#include "format/key_set.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::read {

// Makes the index of a pcap file from its records, in file order. `wirespool index` and `repair` use it; in a capture,
// the Blocks bring their own entries.
class IndexBuilder {
 public:
  struct Options {
    format::IndexLevel level = format::IndexLevel::time;
    std::uint32_t block_bytes = 1 << 20;
    bool checksums = true;
    std::uint32_t capture_mark = 0;  // format::capture_mark()
    format::FileClock clock = {};    // as far as it is known
  };
  explicit IndexBuilder(Options options);

  // `moved`: by how many bytes the record comes earlier in the indexed file than packet.offset.
  void add(const StoredPacket& packet, std::uint64_t moved = 0);

  // Bytes after the last packet added that are no packet; they belong to that packet's entry.
  void add_other(std::span<const std::byte> bytes);

  const format::IndexHeader& header() const { return header_; }  // so far
  // `head`: what the indexed file has in front of its first record. `mark`: of that file as it is now; none if it is
  // not known.
  std::vector<std::byte> finish(std::span<const std::byte> head, std::uint64_t file_bytes,
                                std::optional<format::FileMark> mark = std::nullopt);

 private:
  void end_entry();

  Options options_;
  format::IndexHeader header_;
  std::vector<format::IndexEntry> entries_;
  std::uint64_t block_ = 0;  // the Block in which the last entry's records start
  std::optional<format::KeyCollector> collector_;
  std::vector<std::uint32_t> filter_lines_;
  std::vector<std::byte> filter_bytes_;
  Timestamp previous_;
};

}  // namespace wirespool::read
