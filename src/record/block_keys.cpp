// SPDX-License-Identifier: BSD-3-Clause
#include "record/block_keys.hpp"

#include <algorithm>

namespace wirespool::record {

// The record that began in an earlier Block: its head is kept in front of this one's data. One that goes on after this
// Block is met again there; keys that it has twice do no harm.
void BlockKeys::finish_record(const Block& block) noexcept {
  if (block.continued == 0) return;
  if (block.carry == 0) {
    unknown_ = true;
    return;
  }
  const std::span<const std::byte> record(block.data - block.carry, block.carry + block.length);
  const auto head = layout_->head_of(record);
  if (!head) return;
  const auto frame = record.subspan(layout_->record_front_bytes());
  collector_.add(frame.first(std::min<std::size_t>(head->caplen, frame.size())));
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
  layout_->visit([&](const auto& records) {
    auto rest = std::span<const std::byte>(block.data, block.length).subspan(block.first_start);
    while (const auto record = records.record_of(rest)) {
      collector_.add(record->packet.bytes);
      rest = rest.subspan(record->bytes);
    }
  });
}

}  // namespace wirespool::record
