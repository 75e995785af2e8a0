// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace wirespool::test {

// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): the same numbers on every
// machine, which the distributions of <random> do not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // [0, bound); the bias of the remainder does not matter for bounds this small.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(below(high - low + 1u));
  }

 private:
  std::uint64_t state_;
};

}  // namespace wirespool::test
