// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "policy/patience.hpp"
#include "record/block.hpp"
#include "record/file_slot.hpp"

namespace wirespool::record {

// One Stream on one drive, on the writing side: its files and its Blocks that are not retired yet. SpoolWriter's.
struct Lane {
  std::uint32_t drive = 0;    // index into the writer's drives
  std::span<FileSlot> slots;  // taken in turn
  std::size_t slot = 0;       // that of file `number`
  std::uint32_t number = 0;   // of the file being written

  Block* first = nullptr;  // oldest Block not retired
  Block* last = nullptr;
  std::uint32_t inflight = 0;  // writes of this lane, tails included
  policy::Patience patience;   // with its drive

  // The Appender's open Block, as much of it as is to be flushed, and as is being written.
  Block* tail_block = nullptr;
  Tail tail_wanted;
  Tail tail_flying;
  Block* flying_block = nullptr;  // whose, while tail_inflight()
  bool tail_inflight() const noexcept { return tail_flying.length != 0; }
  bool tail_due() const noexcept { return tail_wanted.length != 0 && !tail_inflight(); }

  // The drive takes no more: where the file ends, once known.
  bool cut_known = false;
  std::uint64_t cut = 0;
  bool given_up = false;  // and its writes hang

  FileSlot& file() noexcept { return slots[slot]; }
  FileSlot& next_file() noexcept { return slots[(slot + 1) % slots.size()]; }

  void push(Block& block) noexcept {
    block.next = nullptr;
    (first ? last->next : first) = &block;
    last = &block;
  }
  Block& pop() noexcept {
    Block& block = *first;
    first = block.next;
    return block;
  }
  void next_number() noexcept {
    number += 1;
    slot = (slot + 1) % slots.size();
    cut_known = false;
  }
};

}  // namespace wirespool::record
