// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <vector>

#include "capture/handoff.hpp"
#include "capture/rx_lcore.hpp"
#include "policy/shared_clock.hpp"
#include "spool/appender.hpp"
#include "spool/spool_writer.hpp"
#include "stats/counters.hpp"

namespace wirespool::capture {

// One RX lcore's packets as this writer lcore gets them.
struct Stream {
  Handoff* handoff = nullptr;
  const RxLcore* source = nullptr;
  rte_mempool* pool = nullptr;          // most of its mbufs come from there
  spool::Appender* appender = nullptr;  // nullptr: --until handoff, packets end here
};

struct WriterLcoreSetup {
  std::vector<Stream> streams;
  spool::SpoolWriter* writer = nullptr;  // nullptr: --until handoff|block
  const policy::SharedClock* tsc_clock = nullptr;
  stats::WriterCounters* counters = nullptr;
};

// Takes packets from its Handoffs, appends them, frees them, keeps the writes going. Runs on one lcore until every source
// is done and everything it handed over is on the drives (or counted).
class WriterLcore {
 public:
  explicit WriterLcore(WriterLcoreSetup setup);

  void run() noexcept;
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }

 private:
  bool serve(Stream& stream) noexcept;
  std::size_t append(Stream& stream, std::span<const spool::PacketRef> packets) noexcept;
  bool sources_dry() const noexcept;
  void tick() noexcept;
  void finish() noexcept;

  WriterLcoreSetup setup_;
  policy::ClockLine line_;
  std::uint32_t line_version_ = 0;
  std::uint64_t next_tick_ = 0;
  std::atomic<bool> done_{false};
};

}  // namespace wirespool::capture
