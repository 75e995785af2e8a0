// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "record/block.hpp"
#include "record/file_slot.hpp"
#include "storage/directory.hpp"
#include "storage/io_error.hpp"

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

// Told when a drive that failed is left alone, and when it takes writes again. Called on the thread of its keeper.
class DriveListener {
 public:
  virtual ~DriveListener() = default;

  // Nothing of the Recorder is open there any more: whatever else is, is to be closed, so that the file system can be
  // unmounted, mended and mounted again.
  virtual void left(std::size_t drive) = 0;

  // It took a write, and its directory is open again. An error: it is not to be used yet.
  virtual std::expected<void, storage::IoError> back(std::size_t drive) = 0;
};

// What is known of a file when it is sealed, whether it gets an index or not.
struct SealedFile {
  Timestamp first, last;     // its packets
  Tally tally;               // and how many
  std::uint64_t length = 0;  // bytes of the file
};

// Told of every file that is sealed, and of every sealed one that is removed again by this capture's retention, of
// whichever capture it was. Sealing: called on the thread of the drive's keeper, so by several at once, and one that
// takes long holds up that drive's files and nobody else.
class SealListener {
 public:
  virtual ~SealListener() = default;

  // The file is about to get the name `pcap` in `directory`. Whoever must not miss it, should the machine die in
  // between, writes it down now. It may yet fail: then sealed() never comes.
  virtual void sealing(const storage::Directory& directory, const std::string& pcap) noexcept = 0;

  // It has its name, is synced, and has its index, if it gets one.
  virtual void sealed(const storage::Directory& directory, const std::string& pcap, const SealedFile& file) = 0;

  // It is gone, with all that stood beside it. On a thread of retention: whoever takes long here delays what else is to
  // go from that file system, and no drive's keeper.
  virtual void removed(const storage::Directory& directory, const std::string& pcap) = 0;
};

}  // namespace wirespool::record
