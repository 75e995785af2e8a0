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

// Makes the index of a pcap file from its records, in file order. `wirespool index` and `repair` use it; while
// capturing, the Blocks bring their own entries along.
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

  // `moved`: how far in front of packet.offset the record will lie in the file that is indexed.
  void add(const StoredPacket& packet, std::uint64_t moved = 0);

  // What lies after the last packet that was added, and is none: of its entry.
  void add_other(std::span<const std::byte> bytes);

  const format::IndexHeader& header() const { return header_; }  // so far
  // `head`: what lies in front of the first record in the file that is indexed. `mark`: of that file as it lies there
  // now; none if that cannot be known.
  std::vector<std::byte> finish(std::span<const std::byte> head, std::uint64_t file_bytes,
                                std::optional<format::FileMark> mark = std::nullopt);

 private:
  void end_entry();

  Options options_;
  format::IndexHeader header_;
  std::vector<format::IndexEntry> entries_;
  std::uint64_t block_ = 0;  // in which the last entry's records start
  std::optional<format::KeyCollector> collector_;
  std::vector<std::uint32_t> filter_lines_;
  std::vector<std::byte> filter_bytes_;
  Timestamp previous_;
};

}  // namespace wirespool::read
