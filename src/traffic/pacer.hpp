// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace wirespool::traffic {

// When packets of a constant rate are due: packet n of a burst with its burst's first. Computed from the start each
// time, so that no error adds up.
class Pacer {
 public:
  Pacer(std::uint64_t start_ns, std::uint64_t packets_a_second, unsigned burst) noexcept
      : start_ns_(start_ns), rate_(packets_a_second), burst_(burst) {}

  // The rate is at most 1e9, so that nothing overflows.
  std::uint64_t due_ns(std::uint64_t packet) const noexcept {
    constexpr std::uint64_t second_ns = 1'000'000'000;
    const auto first = packet - packet % burst_;
    return start_ns_ + first / rate_ * second_ns + first % rate_ * second_ns / rate_;
  }

 private:
  std::uint64_t start_ns_, rate_;
  unsigned burst_;
};

}  // namespace wirespool::traffic
