// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "format/file_name.hpp"
#include "read/index_builder.hpp"
#include "tools/repair_file.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

// One of the files that a repair makes: its packets are counted and indexed as they are found.
class RepairedPart {
 public:
  explicit RepairedPart(const RepairContext& context)
      : index_(
            {.level = context.index_level, .block_bytes = context.block_bytes, .capture_mark = context.capture_mark}) {}

  void add(const StoredPacket& packet) {
    index_.add(packet, packet.offset - end_);
    end_ += packet.record.size();
  }

  void begin_at(std::uint64_t first_record) { begin_ = end_ = first_record; }  // before the first packet

  bool empty() const { return index_.header().packets == 0; }
  std::uint64_t begin() const { return begin_; }  // of its first record
  std::uint64_t end() const { return end_; }      // of the file
  // Of the file as it was sealed.
  std::vector<std::byte> index(std::span<const std::byte> head, std::optional<format::FileMark> mark) {
    return index_.finish(head, end_, mark);
  }

  RescuedFile told(const format::FileName& hidden) const {
    const auto& header = index_.header();
    return {format::format_file_name({hidden.stem, header.first, hidden.writer, hidden.sequence, hidden.format}),
            header.packets, header.bytes, header.first, header.last};
  }

 private:
  read::IndexBuilder index_;
  std::uint64_t begin_ = 0, end_ = 0;
};

}  // namespace wirespool::tools
