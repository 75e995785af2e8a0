// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "record/drive.hpp"
#include "record/file_keeper.hpp"
#include "stats/counters.hpp"

namespace wirespool::record {

// A drive as one writer has it: its shared state, who keeps its files, and this writer's books about it. The writer
// lcore's; what is referred to outlives it.
struct WriterDrive {
  Drive* drive = nullptr;
  FileKeeper* keeper = nullptr;
  stats::DriveCounters* counters = nullptr;
  std::uint32_t inflight = 0;  // writes of all its lanes

  void write_began() noexcept { counters->inflight.set(++inflight); }
  void write_ended(std::uint64_t bytes) noexcept {
    counters->inflight.set(--inflight);
    counters->bytes.add(bytes);
  }
};

}  // namespace wirespool::record
