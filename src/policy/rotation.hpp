// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// When a SpoolFile ends. Asked once per Block.
struct Rotation {
  std::uint64_t size_bytes = 4ull << 30;
  std::uint64_t age_ns = 60'000'000'000;

  // The Block that ends at `end` of the file is full: would the next one still fit?
  bool full(std::uint64_t end, std::uint64_t block_bytes) const noexcept { return end + block_bytes > size_bytes; }

  // The file's first packet is from `first`.
  bool old(Timestamp first, Timestamp now) const noexcept { return now.ns > first.ns && now.ns - first.ns >= age_ns; }
};

}  // namespace wirespool::policy
