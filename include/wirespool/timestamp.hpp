// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>

namespace wirespool {

// A moment in UTC: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (as CLOCK_REALTIME).
// Lasts until 2554. Zero means "no time known".
struct Timestamp {
  std::uint64_t ns = 0;

  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr std::uint32_t seconds() const { return static_cast<std::uint32_t>(ns / 1'000'000'000); }
  constexpr std::uint32_t nanoseconds() const { return static_cast<std::uint32_t>(ns % 1'000'000'000); }
};

}  // namespace wirespool
