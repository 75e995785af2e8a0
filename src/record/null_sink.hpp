// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "record/block_sink.hpp"
#include "stats/counter.hpp"

namespace wirespool::record {

// A writer without drives: Blocks are built and given back unwritten, their packets counted as ended early. What is
// referred to outlives it.
class NullSink final : public BlockSink, public BlockDock {
 public:
  NullSink(BlockPool& pool, stats::Counter& ended_early) : pool_(pool), ended_early_(ended_early) {}

  BlockDock& dock(std::uint32_t) noexcept override { return *this; }

  Block* get_for_stream() noexcept override { return pool_.get(); }
  void take_tail(Block&, Tail) noexcept override {}
  void give_back(Block& block) noexcept override { pool_.put(block); }
  bool takes_packets() const noexcept override { return true; }
  void drop(std::uint64_t) noexcept override {}
  bool poll() noexcept override { return false; }
  void tick(Timestamp) noexcept override {}
  std::int64_t held() const noexcept override { return 0; }
  std::size_t free_blocks() const noexcept override { return pool_.available(); }
  void finish() noexcept override {}
  bool drained() const noexcept override { return true; }
  void give_up(std::uint64_t) noexcept override {}
  void discard_unused_files() override {}

  // as sink and as dock
  void take_full(Block& block) noexcept override {
    ended_early_.add(block.tally.packets);
    pool_.put(block);
  }

  Block* get() noexcept override { return pool_.get(); }
  std::size_t available() const noexcept override { return pool_.available(); }
  bool take_tail(Block&) noexcept override { return true; }
  std::span<const std::uint32_t> loads() noexcept override { return idle_; }
  std::uint32_t renewals(std::size_t) const noexcept override { return 0; }

 private:
  BlockPool& pool_;
  stats::Counter& ended_early_;
  std::array<std::uint32_t, 1> idle_{0};
};

}  // namespace wirespool::record
