// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "traffic/counters.hpp"
#include "traffic/payload_head.hpp"

namespace wirespool::traffic {

// Finds what is missing, came twice or came late by the numbers of each flow, which begin at 0 in each run. One that
// comes more than `window` numbers late counts as reordered, whether it came before or not. Made with all its memory;
// one thread.
class SequenceWatch {
 public:
  static constexpr std::uint64_t window = 4096;

  // Writes expected, arrived, duplicates and reordered of `counters`, which outlives it.
  SequenceWatch(unsigned flows, ReceiveCounters& counters) : flows_(flows), counters_(counters) {}

  // false: its flow is none of these.
  bool saw(const PayloadHead& head) noexcept;

 private:
  struct Flow {
    std::uint64_t next = 0;  // after the highest number
    std::uint16_t run = 0;
    std::array<std::uint64_t, window / 64> seen{};

    bool take(std::uint64_t number) noexcept;  // false: it was taken before
    void clear(std::uint64_t from, std::uint64_t to) noexcept;
  };

  std::vector<Flow> flows_;
  ReceiveCounters& counters_;
};

}  // namespace wirespool::traffic
