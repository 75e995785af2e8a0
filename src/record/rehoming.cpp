// SPDX-License-Identifier: BSD-3-Clause
#include "record/rehoming.hpp"

#include <cstring>

#include "format/pcap.hpp"

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
  for (const std::byte* at = at_; count < room; ++count) {
    format::PcapRecordHeader header;
    if (end_ - at < static_cast<std::ptrdiff_t>(sizeof header)) break;
    std::memcpy(&header, at, sizeof header);
    const std::byte* const next = at + sizeof header + header.caplen;
    if (next > end_) break;
    refs_[count] = {{std::uint64_t{header.seconds} * 1'000'000'000 + header.nanoseconds},
                    at + sizeof header,
                    nullptr,
                    header.wirelen,
                    header.caplen};
    at = next;
  }
  return {refs_.data(), count};
}

void BlockRecords::advance(std::size_t records) noexcept {
  for (std::size_t i = 0; i < records; ++i) at_ = refs_[i].head + refs_[i].head_bytes;
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
