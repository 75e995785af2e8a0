// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// --handoff packets: mbufs cross the ring, writer lcores build Blocks.

#include <vector>

#include "capture/handoff.hpp"
#include "capture/idler.hpp"
#include "capture/outlet.hpp"
#include "capture/writer_pressure.hpp"
#include "dpdk/refer.hpp"
#include "record/appender.hpp"
#include "record/block_sink.hpp"

namespace wirespool::capture {

// The RX lcore's side: Bursts to the Handoffs of all writers in turn.
class PacketOutlet : public Outlet {
 public:
  struct Setup {
    std::vector<Handoff*> handoffs;     // by writer
    const rte_mempool* pool = nullptr;  // most mbufs come from it
    dpdk::Referrer referrer;
    stats::RxCounters& counters;
    SourceLosses* losses = nullptr;  // where files tell sources
  };
  explicit PacketOutlet(Setup setup)
      : handoffs_(std::move(setup.handoffs)),
        pool_(setup.pool),
        counters_(setup.counters),
        losses_(setup.losses),
        asked_{setup.referrer, &counters_.sliced} {}

  void finish() noexcept override;

 protected:
  // How much of a frame is kept, and where those are counted that a slice made shorter.
  struct Keeping {
    dpdk::Referrer referrer;
    stats::Counter* sliced;
  };

  unsigned hand_to(Handoff& handoff, const dpdk::Burst& burst, const Keeping& keeping, std::uint32_t source) noexcept;
  void tell(Handoff& handoff, std::uint32_t source, const format::MissingPackets& missing) noexcept;
  std::size_t next_handoff(unsigned packets) noexcept;
  void drop_behind(const dpdk::Burst& burst, unsigned taken, std::uint32_t source) noexcept;

  std::vector<Handoff*> handoffs_;
  const rte_mempool* pool_;
  stats::RxCounters& counters_;
  SourceLosses* losses_;
  Keeping asked_;
  std::size_t turn_ = 0;
};

// --when-full drop: what does not fit is counted and freed.
class DroppingPacketOutlet final : public PacketOutlet {
 public:
  using PacketOutlet::PacketOutlet;
  void deliver(const Received& received) noexcept override;
};

// --when-full trim: the same, but a Burst that comes while its writer is nearly full is sliced first.
class TrimmingPacketOutlet final : public PacketOutlet {
 public:
  // `trimming`: keeps what is kept under pressure. `pressures`: by writer.
  TrimmingPacketOutlet(Setup setup, const dpdk::Referrer& trimming, std::vector<WriterPressure> pressures);
  void deliver(const Received& received) noexcept override;

 private:
  Keeping trimmed_;
  std::vector<WriterPressure> pressures_;
};

// --when-full wait: nothing is received until it fits, nor while the next dpdk::Burst might not find the mbufs it
// needs.
class WaitingPacketOutlet final : public PacketOutlet {
 public:
  WaitingPacketOutlet(Setup setup, Idler idler) : PacketOutlet(std::move(setup)), idler_(idler) {}
  void deliver(const Received& received) noexcept override;

 private:
  void measure(const dpdk::Burst& burst) noexcept;
  void wait_for_mbufs(const rte_mempool* pool) const noexcept;
  bool all_empty() const noexcept;

  Idler idler_;
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
