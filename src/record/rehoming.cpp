// SPDX-License-Identifier: BSD-3-Clause
#include "record/rehoming.hpp"

#include "record/packet_ref.hpp"

namespace wirespool::record {

BlockRecords::BlockRecords(const Block& block, const format::FileLayout& layout) noexcept
    : layout_(&layout), end_(block.data + block.length) {
  if (block.write.flushed().length)
    at_ = block.data + block.write.flushed().length;
  else if (block.carry)
    at_ = block.data - block.carry;
  else
    at_ = block.starts ? block.data + block.first_start : end_;
}

std::span<const PacketRef> BlockRecords::peek() noexcept {
  std::size_t count = 0;
  missing_ = 0;
  for (std::span rest(at_, end_); count < room; ++count) {
    const auto record = layout_->record_of(rest);
    if (!record || (count > 0 && (record->source != source_ || record->missing != 0))) break;
    if (count == 0) {
      source_ = record->source;
      missing_ = record->missing;
    }
    const auto& packet = record->packet;
    refs_[count] = {packet.time, packet.bytes.data(), 0, packet.wirelen, packet.caplen()};
    rest = rest.subspan(record->bytes);
    ends_[count] = rest.data();
  }
  return {refs_.data(), count};
}

void BlockRecords::advance(std::size_t records) noexcept {
  if (records > 0) at_ = ends_[records - 1];
  passed_ += records;
}

void Rehoming::push(Block& block) noexcept {
  if (blocks_.empty()) records_ = BlockRecords(block, *layout_);
  blocks_.push(block);
}

std::uint64_t Rehoming::packets() const noexcept {
  if (blocks_.empty()) return 0;
  std::uint64_t packets = 0;
  for (const Block* block = blocks_.front(); block; block = BlockList::behind(*block)) packets += block->unflushed();
  return packets - records_.passed();
}

Block& Rehoming::pop() noexcept {
  Block& block = blocks_.pop();
  if (!blocks_.empty()) records_ = BlockRecords(*blocks_.front(), *layout_);
  return block;
}

}  // namespace wirespool::record
