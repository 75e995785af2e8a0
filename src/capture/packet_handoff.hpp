// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// --handoff packets: mbufs cross the ring, writer lcores build Blocks.

#include <vector>

#include "capture/handoff.hpp"
#include "capture/outlet.hpp"
#include "dpdk/refer.hpp"
#include "record/appender.hpp"
#include "record/block_sink.hpp"

namespace wirespool::capture {

// The RX lcore's side: Bursts to the Handoffs of all writers in turn.
class PacketOutlet : public Outlet {
 public:
  PacketOutlet(std::vector<Handoff*> handoffs, const rte_mempool* pool, const dpdk::Referrer& referrer,
               stats::RxCounters& counters, SourceLosses* losses = nullptr)
      : handoffs_(std::move(handoffs)), pool_(pool), referrer_(referrer), counters_(counters), losses_(losses) {}

  void finish() noexcept override;

 protected:
  unsigned hand_to(Handoff& handoff, const dpdk::Burst& burst, std::uint32_t source) noexcept;
  void tell(Handoff& handoff, std::uint32_t source, const format::MissingPackets& missing) noexcept;
  Handoff& next_handoff(unsigned packets) noexcept;

  std::vector<Handoff*> handoffs_;
  const rte_mempool* pool_;  // most mbufs come from it
  dpdk::Referrer referrer_;
  stats::RxCounters& counters_;
  SourceLosses* losses_;  // where files tell sources
  std::size_t turn_ = 0;
};

// --when-full drop: what does not fit is counted and freed.
class DroppingPacketOutlet final : public PacketOutlet {
 public:
  using PacketOutlet::PacketOutlet;
  void deliver(const Received& received) noexcept override;
};

// --when-full wait: nothing is received until it fits, nor while the next dpdk::Burst might not find the mbufs it
// needs.
class WaitingPacketOutlet final : public PacketOutlet {
 public:
  using PacketOutlet::PacketOutlet;
  void deliver(const Received& received) noexcept override;

 private:
  void measure(const dpdk::Burst& burst) noexcept;
  void wait_for_mbufs(const rte_mempool* pool) const noexcept;
  bool all_empty() const noexcept;

  unsigned longest_chain_ = 1, largest_burst_ = 0;  // seen so far
};

// The writer lcore's side: packets out of one Handoff into the Stream's Appender; the mbufs go back in bulk at once.
class PacketIntake final : public Intake {
 public:
  struct Setup {
    Handoff* handoff = nullptr;
    rte_mempool* pool = nullptr;  // most of its mbufs come from there
    record::Appender* appender = nullptr;
    record::BlockSink* sink = nullptr;  // where its Blocks go
    stats::WriterCounters* counters = nullptr;
  };
  explicit PacketIntake(const Setup& setup) : setup_(setup) {}

  bool serve() noexcept override;
  bool empty() const noexcept override { return setup_.handoff->empty(); }
  void tick(Timestamp now) noexcept override { setup_.appender->tick(now); }
  void finish() noexcept override;
  std::int64_t held() const noexcept override { return setup_.appender->held(); }

 private:
  std::size_t append(std::span<const record::PacketRef> packets) noexcept;
  std::size_t append_told(std::span<const record::PacketRef> packets) noexcept;

  Setup setup_;
  std::uint64_t done_ = 0;  // packets, where notes are beside them
};

}  // namespace wirespool::capture
