// SPDX-License-Identifier: BSD-3-Clause
#include "record/rehoming.hpp"

#include "record/records.hpp"

namespace wirespool::record {

BlockRecords::BlockRecords(const Block& block) noexcept : end_(block.data + block.length) {
  if (block.flushed.length)
    at_ = block.data + block.flushed.length;
  else if (block.carry)
    at_ = block.data - block.carry;
  else
    at_ = block.starts ? block.data + block.first_start : end_;
}

std::span<const PacketRef> BlockRecords::peek() noexcept {
  std::size_t count = 0;
  for (std::span rest(at_, end_); count < room; ++count) {
    const auto record = Records::record_of(rest);
    if (!record) break;
    const auto& packet = record->packet;
    refs_[count] = {packet.time, packet.bytes.data(), 0, packet.wirelen, packet.caplen()};
    rest = rest.subspan(record->bytes);
  }
  return {refs_.data(), count};
}

void BlockRecords::advance(std::size_t records) noexcept {
  for (std::size_t i = 0; i < records; ++i) at_ += Records::bytes_of(refs_[i].caplen);
  passed_ += records;
}

void Rehoming::push(Block& block) noexcept {
  block.next = nullptr;
  (first_ ? last_->next : first_) = &block;
  last_ = &block;
  if (first_ == &block) records_ = BlockRecords(block);
}

std::uint64_t Rehoming::packets() const noexcept {
  std::uint64_t packets = 0;
  for (const Block* block = first_; block; block = block->next)
    packets += block->tally.packets - block->flushed.tally.packets;
  return first_ ? packets - records_.passed() : 0;
}

Block& Rehoming::pop() noexcept {
  Block& block = *first_;
  first_ = block.next;
  if (first_) records_ = BlockRecords(*first_);
  return block;
}

}  // namespace wirespool::record
