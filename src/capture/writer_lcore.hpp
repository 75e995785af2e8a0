// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "capture/idler.hpp"
#include "capture/lcore_signals.hpp"
#include "capture/outlet.hpp"
#include "capture/rx_lcore.hpp"
#include "capture/stage_clock.hpp"
#include "policy/shared_clock.hpp"
#include "record/block_sink.hpp"
#include "stats/counters.hpp"

namespace wirespool::capture {

struct WriterLcoreSetup {
  std::vector<std::unique_ptr<Intake>> intakes;  // one per Stream
  std::vector<const RxLcore*> sources;           // the RX lcores they come from
  record::BlockSink* sink = nullptr;             // where their Blocks end
  const policy::SharedClock* tsc_clock = nullptr;
  const StopFlag* stop = nullptr;
  stats::WriterCounters* counters = nullptr;
  plan::PlannedIdle idle = {};
};

// Serves its Intakes and keeps the writes going. Runs on one lcore until every source is done and everything the
// sources handed over is on the drives (or counted).
class WriterLcore {
 public:
  explicit WriterLcore(WriterLcoreSetup setup);

  void run() noexcept;
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }

 private:
  bool sources_dry() const noexcept;
  void tick() noexcept;
  void finish() noexcept;
  void audit() noexcept;

  WriterLcoreSetup setup_;
  StageClock stages_;
  Idler idler_;
  policy::ClockLine line_;
  std::uint32_t line_version_ = 0;
  std::uint64_t next_tick_ = 0;
  unsigned ticks_ = 0;
  std::atomic<bool> done_{false};
};

}  // namespace wirespool::capture
