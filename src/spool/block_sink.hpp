// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "spool/appender.hpp"
#include "stats/counter.hpp"

namespace wirespool::spool {

// The end of `--until block`: Blocks are built and given back unwritten, their packets counted as left out.
class BlockSink final : public BlockPort {
 public:
  BlockSink(BlockPool& pool, stats::Counter& filtered) : pool_(pool), filtered_(filtered) {}

  Block* get() noexcept override { return pool_.get(); }
  std::size_t available() const noexcept override { return pool_.available(); }
  void take_full(Block& block) noexcept override {
    filtered_.add(block.tally.packets);
    pool_.put(block);
  }
  void take_tail(Block&) noexcept override {}
  std::span<const std::uint32_t> loads() noexcept override { return idle_; }

 private:
  BlockPool& pool_;
  stats::Counter& filtered_;
  std::array<std::uint32_t, 1> idle_{0};
};

}  // namespace wirespool::spool
