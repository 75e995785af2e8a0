// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "format/file_layout.hpp"
#include "record/block.hpp"
#include "record/packet_ref.hpp"

namespace wirespool::record {

// The records that END in a Block and are not on its drive, read back from memory: what can be appended elsewhere.
// Knows where it stopped. A record whose head is gone (too long for the carry area) is not among them.
class BlockRecords {
 public:
  BlockRecords() = default;
  BlockRecords(const Block& block, const format::FileLayout& layout) noexcept;

  // The next records, at most `room` of them, all of one source and with nothing missing between them; they point into
  // the Block.
  std::span<const PacketRef> peek() noexcept;
  std::uint32_t source() const noexcept { return source_; }    // of what peek() gave
  std::uint64_t missing() const noexcept { return missing_; }  // in front of it
  void advance(std::size_t records) noexcept;
  std::uint64_t passed() const noexcept { return passed_; }

 private:
  static constexpr std::size_t room = 64;
  const format::FileLayout* layout_ = nullptr;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  std::uint64_t passed_ = 0;
  std::array<PacketRef, room> refs_;
  std::array<const std::byte*, room> ends_;
  std::uint32_t source_ = 0;
  std::uint64_t missing_ = 0;
};

// Blocks that a drive did not take, first in first out, and how far the first one has been read.
class Rehoming {
 public:
  explicit Rehoming(const format::FileLayout& layout) noexcept : layout_(&layout) {}

  bool empty() const noexcept { return blocks_.empty(); }
  void push(Block& block) noexcept;
  Block& front() noexcept { return *blocks_.front(); }
  BlockRecords& records() noexcept { return records_; }  // of front()
  Block& pop() noexcept;
  std::uint64_t packets() const noexcept;  // still to be appended again, counted Block by Block

 private:
  const format::FileLayout* layout_;
  BlockList blocks_;
  BlockRecords records_;
};

}  // namespace wirespool::record
