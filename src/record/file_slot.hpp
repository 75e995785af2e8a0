// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/source_tally.hpp"
#include "record/block.hpp"
#include "record/index_rows.hpp"
#include "storage/direct_file.hpp"

namespace wirespool::record {

// One SpoolFile between a writer lcore and the FileKeeper of its drive. The state names the owner of everything else in
// the slot, so the two never touch it at once and never wait for each other:
//   idle    writer's: nothing here
//   wanted  keeper's: open a hidden file
//   open    writer's: `file` takes Blocks
//   sealing keeper's: truncate to `length`, sync, rename; nothing left in it: discard
//   refused writer's: opening failed, `error` says why
struct alignas(64) FileSlot {
  enum class State : std::uint32_t { idle, wanted, open, sealing, refused };

  std::atomic<State> state{State::idle};
  unsigned lane = 0;  // of its writer; fixed at start

  // Set by the writer before `wanted`.
  unsigned writer = 0;
  unsigned hidden_number = 0;

  // Set by the keeper before `open` / `refused`.
  std::optional<storage::DirectFile> file;
  std::uint64_t inode = 0;  // of the file
  storage::IoError error;

  // The writer's while `open`, read by the keeper in `sealing`.
  unsigned sequence = 0;     // of the sealed name
  std::uint64_t length = 0;  // bytes that count
  Timestamp first, last;     // of what is stored; last: as of the last whole Block
  Tally tally;
  std::atomic<std::uint64_t> stored{0};  // = tally.packets, for the keeper while `open`
  // What live readers may read by now, alike: the bytes of the file that are on the drive and final, and where among
  // them a record begins. Stored in the order stored, stored_bytes, record_at, and loaded in the other.
  std::atomic<std::uint64_t> stored_bytes{0}, record_at{0};
  IndexRows index;
  bool index_complete = true;                // false: the file was cut within a Block
  std::vector<format::SourceTally> sources;  // where files say it: what each has in this one; memory taken at start

  // Preallocation while `open`: the writer asks for `wanted_bytes`, the keeper answers with the same in
  // `allocated_bytes`. Equal: nothing is under way, the writer may truncate.
  std::atomic<std::uint64_t> wanted_bytes{0};
  std::atomic<std::uint64_t> allocated_bytes{0};
  std::atomic<bool> cannot_preallocate{false};

  // While `open`: after a tail the writer asks that the file be cut to here, and writes nothing until the keeper has
  // done it and says `nothing` again.
  static constexpr std::uint64_t nothing = UINT64_MAX;
  std::atomic<std::uint64_t> trim_to{nothing};

  // The writer's, before `wanted`: a new file, nothing of which is there yet.
  void begin(unsigned of_writer, unsigned number) noexcept {
    writer = of_writer;
    hidden_number = number;
    tally = {};
    stored.store(0, std::memory_order_relaxed);
    stored_bytes.store(0, std::memory_order_relaxed);
    record_at.store(0, std::memory_order_relaxed);
    first = last = {};
    std::ranges::fill(sources, format::SourceTally{});
    index.clear();
    index_complete = true;
    refusals = 0;
    next_try = {};
    asked_again = false;
  }

  // The keeper's: packets that were `stored` when the last sync began that ended well, and when it looks next.
  std::atomic<std::uint64_t> synced{0};
  std::chrono::steady_clock::time_point next_sync{};
  bool sync_failed = false;
  bool told_removed = false;

  // While `wanted`: opening was refused so often, and is tried again then.
  unsigned refusals = 0;
  std::chrono::steady_clock::time_point next_try{};
  bool asked_again = false;  // the writer's: it waits for a file that was refused
};

}  // namespace wirespool::record
