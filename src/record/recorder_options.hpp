// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format/file_layout.hpp"
#include "policy/patience.hpp"
#include "policy/placement.hpp"
#include "record/appender.hpp"
#include "record/listeners.hpp"
#include "stats/clock_bounds.hpp"
#include "stats/counter.hpp"
#include "storage/directory.hpp"
#include "storage/io_queue.hpp"

namespace wirespool::record {

// A pcap file as it is without further ado.
inline const format::FileLayout plain_pcap;

// What all writers of a Recorder have in common.
struct RecorderOptions {
  std::string stem = "capture";  // of file names
  Timestamp capture_start = {};
  std::uint32_t streams = 1;    // that end at each writer
  bool streams_append = false;  // their Appenders are made elsewhere, for other lcores; else the writers have them
  std::uint32_t snaplen = max_snaplen;  // no PacketRef keeps more
  // Of all files; outlives the Recorder. Its front takes at most half a Block.
  const format::FileLayout* layout = &plain_pcap;
  std::uint32_t block_bytes = 1 << 20;
  std::uint64_t flush_age_ns = 1'000'000'000;
  policy::Rotation rotation = {};
  std::uint32_t depth = 8;                  // writes in flight, of each writer to each of its drives
  std::uint64_t grow_bytes = 256ull << 20;  // how far a busy file is preallocated ahead; 0: not
  bool write_index = true;
  bool checksums = true;                 // of Blocks, in the index
  std::uint64_t filter_bytes = 0;        // of each file's flow index, at most; 0: it has none
  std::chrono::nanoseconds sync_age{0};  // how often an open file that has grown is synced; 0: only when sealed
  std::uint64_t patience_ns = policy::usual_patience_ns;
  ChainCopy copy_chain = nullptr;  // see AppenderOptions
  std::vector<SealListener*> seal_listeners = {};
  // How far stamps may be from UTC, for the indices; outlives the Recorder; nullptr: not known.
  const stats::ClockBounds* clock = nullptr;
  DriveListener* drive_listener = nullptr;  // outlives the Recorder
  bool tells_readers = false;               // of its open files (LiveTeller)
};

// A drive that files are written to: an output directory, which outlives the Recorder.
struct RecorderDrive {
  const storage::Directory* directory = nullptr;
  std::uint32_t block_bytes = 4096;  // unit of O_DIRECT
  bool direct_io = true;
  std::uint64_t preallocate_bytes = 0;  // of a new file; 0: not
};

// What one writer is given. All that is referred to outlives the Recorder.
struct WriterOptions {
  unsigned number = 0;                         // the WW of its files
  std::vector<std::size_t> drives = {};        // which of the Recorder's; none: its Blocks end unwritten
  std::span<std::byte> memory = {};            // of its Blocks: BlockPool::bytes_needed(), 4096-aligned
  storage::IoQueue* queue = nullptr;           // its alone; needed if it has drives
  std::vector<BlockListener*> listeners = {};  // besides those of the index
  stats::Counter* ended_early = nullptr;       // where unwritten packets are counted; nullptr: in its own counters
};

}  // namespace wirespool::record
