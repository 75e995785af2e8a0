// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "capture/idler.hpp"
#include "capture/lcore_signals.hpp"
#include "capture/outlet.hpp"
#include "capture/stage_clock.hpp"
#include "dpdk/mbuf.hpp"
#include "policy/shared_clock.hpp"
#include "policy/stamper.hpp"
#include "stats/counters.hpp"
#include "stats/peaks.hpp"

namespace wirespool::capture {

inline constexpr unsigned max_burst = 1024;

struct RxQueue {
  std::uint16_t port = 0;
  std::uint16_t queue = 0;
  unsigned descriptors = 0;                        // at most this many are left in it at a stop
  std::uint64_t late_ticks = 0;                    // of the TSC: how late the device may tell of a frame
  const policy::SharedClock* nic_clock = nullptr;  // set: the NIC stamps, in ticks of this clock
  RxQueueCounters* counters = nullptr;
  Outlet* outlet = nullptr;        // where its stamped Bursts go; that of no other queue if the NIC stamps
  const PortGate* gate = nullptr;  // its port's
  stats::QueuePeaks peaks{};       // adds to its port's
};

struct RxLcoreSetup {
  std::vector<RxQueue> queues;
  unsigned burst = 64;
  dpdk::StampField stamp_field;
  const policy::SharedClock* tsc_clock = nullptr;
  const StopFlag* stop = nullptr;
  stats::RxCounters* counters = nullptr;
  plan::PlannedIdle idle = {};
};

// Receives, stamps, delivers; what gets through is counted first thing there (count_received). Runs on one lcore from
// run()'s start to its end.
class RxLcore {
 public:
  explicit RxLcore(RxLcoreSetup setup);

  // Polls until told to stop, then empties the RxQueues once more: what a NIC had received by then is not left behind.
  void run() noexcept;

  // Everything received has been handed off or counted.
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }

  // It polls no queue whose gate was closed before StopFlag::gates_changed() returned this word.
  bool knows(std::uint32_t word) const noexcept {
    return done() || StopFlag::covers(seen_.load(std::memory_order_acquire), word);
  }

 private:
  // What a queue's NIC stamps are measured by.
  struct NicTime {
    policy::ClockLine line;
    std::uint32_t version = 0;
    std::uint64_t earliest_ns = 0;  // the queue was empty: what comes later was received later
    std::uint64_t last_ns = 0;      // its last stamp
  };

  NicTime& nic_time_of(const RxQueue& queue) noexcept {
    return nic_times_[static_cast<std::size_t>(&queue - setup_.queues.data())];
  }
  void look_at_gates(std::uint32_t word) noexcept;
  void poll_until_news(std::uint32_t word) noexcept;
  void found_nothing_anywhere() noexcept;
  void without_queue() noexcept;
  void begin_nic_time(const RxQueue& queue) noexcept;
  void drain(RxQueue& queue) noexcept;
  void drain_late(RxQueue& queue, unsigned left) noexcept;
  unsigned poll(RxQueue& queue) noexcept;
  unsigned receive(const RxQueue& queue) noexcept;
  void found_nothing(const RxQueue& queue, std::uint64_t before_ns) noexcept;

  policy::StampRun time_of(unsigned received) noexcept;
  template <typename StampOf>
  Received stamp_each(const RxQueue& queue, unsigned count, StampOf stamp_of) noexcept;
  Received stamp(const RxQueue& queue, unsigned count, policy::StampRun run) noexcept;
  Received stamp_from_nic(const RxQueue& queue, unsigned count, policy::StampRun run) noexcept;
  void deliver(RxQueue& queue, const Received& received) noexcept;
  void tick(Timestamp now) noexcept;
  void forget_times() noexcept;
  void audit() noexcept;

  RxLcoreSetup setup_;
  StageClock stages_;
  Idler idler_;
  std::array<rte_mbuf*, max_burst> mbufs_;
  policy::Stamper stamper_;
  policy::ClockLine line_;
  std::uint32_t line_version_ = 0;
  std::vector<NicTime> nic_times_;  // by queue
  std::vector<Outlet*> outlets_;    // of all queues, each once
  std::uint64_t next_tick_ = 0;
  std::vector<RxQueue*> open_;  // the queues that are polled
  std::atomic<std::uint32_t> seen_{0};
  std::atomic<bool> done_{false};
};

}  // namespace wirespool::capture
