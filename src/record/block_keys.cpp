// SPDX-License-Identifier: BSD-3-Clause
#include "record/block_keys.hpp"

#include <algorithm>

#include "format/load.hpp"
#include "format/pcap.hpp"

namespace wirespool::record {

using format::PcapRecordHeader;

namespace {

constexpr std::uint32_t header_bytes = sizeof(PcapRecordHeader);

}  // namespace

// The record that began in an earlier Block: its head is kept in front of this one's data. One that goes on behind this
// Block is met again there; keys that it has twice do no harm.
void BlockKeys::finish_record(const Block& block) noexcept {
  if (block.continued == 0) return;
  const std::span head(block.data - block.carry, block.carry + block.length);
  if (block.carry == 0 || head.size() < header_bytes) {
    unknown_ = unknown_ || block.carry == 0;
    return;
  }
  const auto caplen = format::load<PcapRecordHeader>(head).caplen;
  const auto frame = std::span<const std::byte>(head).subspan(header_bytes);
  collector_.add(frame.first(std::min<std::size_t>(caplen, frame.size())));
}

void BlockKeys::end_row(IndexRows& rows) noexcept {
  if (!open_) return;
  if (unknown_) {
    collector_.clear();
    rows.add_unknown_filter();
  } else {
    rows.add_filter(collector_);
  }
  open_ = unknown_ = false;
}

// Its records, but for one that is not whole in it: that is the next Block's to finish.
void BlockKeys::begin_row(const Block& block) noexcept {
  open_ = true;
  const std::span<const std::byte> bytes(block.data, block.length);
  std::size_t at = block.first_start;
  while (at + header_bytes <= bytes.size()) {
    const auto caplen = format::load<PcapRecordHeader>(bytes, at).caplen;
    at += header_bytes;
    if (caplen > bytes.size() - at) break;
    collector_.add(bytes.subspan(at, caplen));
    at += caplen;
  }
}

}  // namespace wirespool::record
