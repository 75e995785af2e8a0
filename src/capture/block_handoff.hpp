// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// --handoff blocks: RX lcores build Blocks, only full ones cross the ring, and the mbufs never leave the RX lcore.

#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/crossing.hpp"
#include "capture/outlet.hpp"
#include "capture/rx_lcore.hpp"
#include "capture/source_notes.hpp"
#include "dpdk/refer.hpp"
#include "policy/pressure.hpp"
#include "record/appender.hpp"
#include "record/block_sink.hpp"
#include "record/drive.hpp"

namespace wirespool::capture {

// Two rings between one RX lcore and one writer lcore: Blocks filled or to be flushed one way, empty ones back. Each
// has room for every Block, and the first one also for a tail of every drive's open Block. No drive has more than one
// tail on its way (BlockHandoffDock), and there are fewer drives than Blocks, so neither ring is ever full.
class BlockHandoff {
 public:
  struct Message {
    record::Block* block = nullptr;
    record::Tail tail;  // length 0: the Block is filled for good
  };

  static std::expected<std::unique_ptr<BlockHandoff>, std::string> create(const std::string& name, unsigned blocks,
                                                                          int numa_node);
  ~BlockHandoff();
  BlockHandoff(const BlockHandoff&) = delete;

  bool send(const Message& message) noexcept;              // RX lcore; false: no room, nothing was sent
  record::Block* take_empty() noexcept;                    // RX lcore; after it is done, the writer lcore
  std::size_t empties() const noexcept;                    // either
  unsigned receive(std::span<Message> messages) noexcept;  // writer lcore
  bool give_empty(record::Block& block) noexcept;          // writer lcore; false: no room, it stays the caller's
  bool nothing_sent() const noexcept { return rte_ring_empty(filled_); }

  // RX lcore: messages sent so far, and of them how many the writer lcore has taken.
  std::uint64_t sent() const noexcept { return crossing_.sent(); }
  std::uint64_t taken() const noexcept { return sent() - rte_ring_count(filled_); }

  CrossingLook look() const noexcept { return crossing_.look(*filled_); }  // any thread; in messages

 private:
  BlockHandoff() = default;
  rte_ring* filled_ = nullptr;
  rte_ring* empty_ = nullptr;
  Crossing crossing_;
};

// The RX lcore's Appender leaves its Blocks here. A tail is sent only after its drive's last one was taken: so it holds
// more, and the number of messages is bounded by Blocks and drives, not by how long a writer lcore hangs in a write.
class BlockHandoffDock final : public record::BlockDock {
 public:
  BlockHandoffDock(BlockHandoff& handoff, std::vector<const record::Drive*> drives, stats::RxCounters& counters)
      : handoff_(handoff),
        drives_(std::move(drives)),
        loads_(std::max<std::size_t>(1, drives_.size())),
        tails_(loads_.size()),
        counters_(counters) {}

  record::Block* get() noexcept override { return handoff_.take_empty(); }
  std::size_t available() const noexcept override { return handoff_.empties(); }
  void take_full(record::Block& block) noexcept override;
  bool take_tail(record::Block& block) noexcept override;
  std::span<const std::uint32_t> loads() noexcept override;
  std::uint32_t renewals(std::size_t drive) const noexcept override {
    return drives_.empty() ? 0 : drives_[drive]->renewals();
  }

 private:
  BlockHandoff& handoff_;
  std::vector<const record::Drive*> drives_;
  std::vector<std::uint32_t> loads_;
  std::vector<std::uint64_t> tails_;  // per drive: messages sent when its last tail was
  stats::RxCounters& counters_;
};

// --when-full trim: whether the empty Blocks run out that a Stream has of one writer, which supplies it with `share`.
class BlockSupply {
 public:
  BlockSupply(const BlockHandoff& handoff, std::size_t share)
      : handoff_(&handoff), share_(std::max<std::size_t>(1, share)) {}

  bool look() noexcept {
    const auto left = std::min(handoff_->empties(), share_);
    return pressure_.look(static_cast<unsigned>(100 * (share_ - left) / share_));
  }

 private:
  const BlockHandoff* handoff_;
  std::size_t share_;
  policy::Pressure pressure_;
};

// Appends Bursts on the RX lcore itself, to one Stream per writer in turn.
class BlockOutlet final : public Outlet {
 public:
  struct Setup {
    std::vector<record::Appender*> appenders;
    std::vector<const record::Drive*> drives;  // all of them; none for --until handoff|block
    bool wait = false;                         // for an empty Block, else drop_handoff
    dpdk::Referrer referrer;
    // --when-full trim: a Burst that comes while the writer whose turn it is has left few empty Blocks here is referred
    // to by `trimming`. By writer; none: never.
    std::vector<BlockSupply> supplies = {};
    std::optional<dpdk::Referrer> trimming = {};
    stats::RxCounters* counters = nullptr;
    SourceLosses* losses = nullptr;  // where files tell sources
    plan::PlannedIdle waiting = {};
  };
  explicit BlockOutlet(Setup setup)
      : setup_(std::move(setup)),
        idler_(setup_.waiting, setup_.counters->sleeps),
        refs_(can_shorten() ? max_burst : 0) {}

  void deliver(const Received& received) noexcept override;
  void tick(Timestamp now) noexcept override;
  void finish() noexcept override;
  std::int64_t held() const noexcept override;

 private:
  bool can_shorten() const { return setup_.trimming || setup_.referrer.shortens(); }
  bool pressed() noexcept;
  std::size_t append(const dpdk::Burst& burst) noexcept;
  std::size_t append_shorter(const dpdk::Burst& burst, const dpdk::Referrer& referrer, stats::Counter& sliced) noexcept;
  template <typename Packets>
  std::size_t append_run(Packets first, Packets last) noexcept;
  std::size_t wait_for_blocks(const dpdk::Burst& burst) noexcept;
  bool any_drive() const noexcept;

  template <typename Refs>
  std::size_t append_told(record::Appender& appender, Refs first, Refs last) noexcept;

  Setup setup_;
  Idler idler_;
  std::size_t turn_ = 0;
  std::uint32_t source_ = 0;             // of the Burst that is delivered
  std::vector<record::PacketRef> refs_;  // of a Burst that is shortened: each is made once
};

// The writer lcore's side: full Blocks to the sink, empty ones back to the RX lcore.
class BlockIntake final : public Intake {
 public:
  struct Setup {
    BlockHandoff* handoff = nullptr;
    record::BlockSink* sink = nullptr;
    std::size_t share = 1;  // empty Blocks the RX lcore is kept supplied with
    stats::WriterCounters* counters = nullptr;
  };
  explicit BlockIntake(const Setup& setup) : setup_(setup) { supply(); }

  bool serve() noexcept override;
  bool empty() const noexcept override { return setup_.handoff->nothing_sent(); }
  std::int64_t held() const noexcept override { return 0; }  // Blocks are the sink's, or back, at once
  void finish() noexcept override;

 private:
  void supply() noexcept;
  void take(const BlockHandoff::Message& message) noexcept;

  Setup setup_;
};

}  // namespace wirespool::capture
