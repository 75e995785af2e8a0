// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>

namespace wirespool::storage {

// Nanoseconds on the steady clock (CLOCK_MONOTONIC, clock_gettime(2)): for durations, never for the time of day. Any
// thread.
inline std::uint64_t steady_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace wirespool::storage
