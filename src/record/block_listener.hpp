// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "record/block.hpp"
#include "record/file_slot.hpp"

namespace wirespool::record {

// Told of every Block that is retired: it is on its drive, and so are all before it in its file. Called on the writer
// lcore, in file order, once a Block, never once a packet: it must not block, lock or allocate. A writer's listeners
// are called in the order in which they were given. Blocks that a drive did not take are not retired: their packets
// come again in other files.
class BlockListener {
 public:
  virtual ~BlockListener() = default;

  // `file` is the one that block.file names; still open.
  virtual void retired(const Block& block, FileSlot& file) noexcept = 0;

  // Nothing of this file follows; the lane's next Block begins another. Then its keeper gets it.
  virtual void file_ended(std::uint32_t lane, FileSlot& file) noexcept = 0;
};

}  // namespace wirespool::record
