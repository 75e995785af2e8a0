// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// When a SpoolFile ends. Asked once per Block.
struct Rotation {
  std::uint64_t size_bytes = 4ull << 30;
  std::uint64_t age_ns = 60'000'000'000;

  // A full Block ends at `end` of the file: would the next one no longer fit?
  bool full(std::uint64_t end, std::uint64_t block_bytes) const noexcept { return end + block_bytes > size_bytes; }

  // The file's first packet is from `first`.
  bool old(Timestamp first, Timestamp now) const noexcept { return now.ns > first.ns && now.ns - first.ns >= age_ns; }
};

// A drive that takes no more Blocks.
inline constexpr std::uint32_t unusable = UINT32_MAX;
inline constexpr std::size_t no_drive = SIZE_MAX;

// The least loaded drive; of equals the one after `last`, so that idle drives take turns. no_drive if all are unusable.
inline std::size_t pick_drive(std::span<const std::uint32_t> loads, std::size_t last) noexcept {
  std::size_t best = no_drive;
  for (std::size_t step = 1; step <= loads.size(); ++step) {
    const std::size_t drive = (last + step) % loads.size();
    if (loads[drive] == unusable) continue;
    if (best == no_drive || loads[drive] < loads[best]) best = drive;
  }
  return best;
}

}  // namespace wirespool::policy
