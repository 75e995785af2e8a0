// SPDX-License-Identifier: BSD-3-Clause
#include "read/index_builder.hpp"

#include <algorithm>

#include "format/crc32c.hpp"
#include "format/pcap.hpp"

namespace wirespool::read {

using format::IndexLevel;

IndexBuilder::IndexBuilder(Options options) : options_(options) {
  header_.level = options.level;
  header_.block_bytes = options.block_bytes;
  header_.capture_mark = options.capture_mark;
  header_.clock = options.clock;
  header_.checksums = options.checksums;
  if (options.level == IndexLevel::flow) collector_.emplace();
}

void IndexBuilder::add(const StoredPacket& packet, std::uint64_t moved) {
  const auto offset = packet.offset - moved;
  const auto time = packet.view.time;
  if (entries_.empty() || offset / options_.block_bytes != block_) {
    end_entry();
    block_ = offset / options_.block_bytes;
    entries_.push_back({offset, time, time, 0, 0});
  }
  auto& entry = entries_.back();
  entry.first = std::min(entry.first, time);
  entry.last = std::max(entry.last, time);
  ++entry.packets;
  if (options_.checksums) entry.checksum = format::crc32c(packet.record, entry.checksum);
  // Keys exist for Ethernet frames only; a Block with packets of other link types may hold anything.
  if (collector_ && packet.linktype == format::linktype_ethernet) collector_->add(packet.view.bytes);
  header_.ordered = header_.ordered && time >= previous_;
  header_.first = header_.packets == 0 ? time : std::min(header_.first, time);
  header_.last = std::max(header_.last, time);
  ++header_.packets;
  header_.bytes += packet.view.caplen();
  if (packet.linktype != format::linktype_ethernet) collector_.reset();
  previous_ = time;
}

void IndexBuilder::add_other(std::span<const std::byte> bytes) {
  if (options_.checksums && !entries_.empty())
    entries_.back().checksum = format::crc32c(bytes, entries_.back().checksum);
}

void IndexBuilder::end_entry() {
  if (entries_.empty() || options_.level != IndexLevel::flow) return;
  filter_lines_.push_back(collector_ ? collector_->take(filter_bytes_) : 0);
}

std::vector<std::byte> IndexBuilder::finish(std::span<const std::byte> head, std::uint64_t file_bytes,
                                            std::optional<format::FileMark> mark) {
  end_entry();
  if (options_.checksums) header_.head_checksum = format::crc32c(head);
  header_.mark = mark;
  header_.file_bytes = file_bytes;
  return format::encode_index(header_, entries_, {filter_lines_, filter_bytes_});
}

}  // namespace wirespool::read
