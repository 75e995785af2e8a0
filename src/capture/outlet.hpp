// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dpdk/mbuf.hpp"
#include "stats/counters.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::capture {

// What one RxQueue received; written by its RX lcore alone.
struct alignas(64) RxQueueCounters {
  stats::Counter packets, bytes;
  stats::Counter stamps_refused;  // the NIC's: not between the last poll that found the queue empty and this one
  std::uint32_t source = 0;       // of its packets, as files that tell it (pcapng) number the queues; set at start
};

// A Burst on its way through the Outlets.
struct Received {
  dpdk::Burst burst;
  std::uint64_t bytes = 0;  // wirelen of all of it
  RxQueueCounters* queue = nullptr;
};

// The first thing done with a packet, so that none is ever seen to leave that did not arrive.
inline void count_received(stats::RxCounters& counters, const Received& received) noexcept {
  received.queue->packets.add(received.burst.count);
  received.queue->bytes.add(received.bytes);
  counters.received.add(received.burst.count);
  counters.received_bytes.add(received.bytes);
}

// Where an RX lcore's Bursts go. Called once per dpdk::Burst, on the RX lcore alone. Every mbuf it is given is handed
// on, or freed next to the line that counts why.
//
// What is done with a Burst on its way (LimitOutlet, FilterOutlet) is an OutletAround the next one, put there at start
// if it is asked for: each costs a virtual call a Burst, and what is absent costs nothing. One that leaves packets out
// counts them as received and under their cause. Innermost is Counted<> with the Outlet in which the way on the RX
// lcore ends.
class Outlet {
 public:
  virtual ~Outlet() = default;

  virtual void deliver(const Received& received) noexcept = 0;
  virtual void tick(Timestamp) noexcept {}                  // a hundred times a second
  virtual void finish() noexcept {}                         // nothing is delivered after
  virtual std::int64_t held() const noexcept { return 0; }  // packets delivered and still here, counted
  virtual bool full() const noexcept { return false; }      // takes nothing more: a stop need not empty the RxQueues
};

// An Outlet around the next one, which outlives it: what it does not look at goes on.
class OutletAround : public Outlet {
 public:
  explicit OutletAround(Outlet& next) : next_(next) {}

  void tick(Timestamp now) noexcept override { next_.tick(now); }
  void finish() noexcept override { next_.finish(); }
  std::int64_t held() const noexcept override { return next_.held(); }
  bool full() const noexcept override { return next_.full(); }

 protected:
  Outlet& next_;
};

// --until rx: packets end here.
class NoOutlet final : public Outlet {
 public:
  explicit NoOutlet(stats::RxCounters& counters) : counters_(counters) {}

  void deliver(const Received& received) noexcept override {
    counters_.ended_early.add(received.burst.count);
    dpdk::free_burst(received.burst);
  }

 private:
  stats::RxCounters& counters_;
};

// What one RX lcore sends to this writer lcore. Called on the writer lcore alone, once per Burst.
class Intake {
 public:
  virtual ~Intake() = default;

  virtual bool serve() noexcept = 0;               // takes some, if there is something; whether it did
  virtual bool empty() const noexcept = 0;         // nothing there now
  virtual void tick(Timestamp) noexcept {}         // a hundred times a second
  virtual void finish() noexcept {}                // the RX lcore is done and nothing is left
  virtual std::int64_t held() const noexcept = 0;  // packets taken and still here, counted
};

}  // namespace wirespool::capture
