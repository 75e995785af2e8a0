// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "record/appender.hpp"
#include "stats/counter.hpp"

namespace wirespool::record {

// The end of `--until block`: Blocks are built and given back unwritten, their packets counted as ended early.
class BlockSink final : public BlockPort {
 public:
  BlockSink(BlockPool& pool, stats::Counter& ended_early) : pool_(pool), ended_early_(ended_early) {}

  Block* get() noexcept override { return pool_.get(); }
  std::size_t available() const noexcept override { return pool_.available(); }
  void take_full(Block& block) noexcept override {
    ended_early_.add(block.tally.packets);
    pool_.put(block);
  }
  bool take_tail(Block&) noexcept override { return true; }
  std::span<const std::uint32_t> loads() noexcept override { return idle_; }
  std::uint32_t renewals(std::size_t) const noexcept override { return 0; }

 private:
  BlockPool& pool_;
  stats::Counter& ended_early_;
  std::array<std::uint32_t, 1> idle_{0};
};

}  // namespace wirespool::record
