// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "wirespool/packet.hpp"

namespace wirespool::format {

// Reads a plain value that lies unaligned in bytes. The caller has checked that there are enough.
template <class T>
T load(std::span<const std::byte> bytes, std::size_t offset = 0) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <std::unsigned_integral T>
constexpr T swap_bytes(T value) noexcept {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

// Room in front of each Block for the head of the record it continues: a 64 KiB frame and its record header. 68 KiB, a
// multiple of 4096, so that the data after it stays aligned.
inline constexpr std::uint32_t carry_capacity = 69632;

// What was found at the front of a window of a capture file.
struct Decoded {
  enum class Kind {
    packet,   // `packet` and `linktype` are set
    other,    // something other than a packet; it may reach beyond the window
    more,     // the window must hold at least `bytes` to tell
    damaged,  // no record can begin here: see `why`
  };
  Kind kind = Kind::damaged;
  std::uint64_t bytes = 0;  // that it takes; for `more`, that are needed
  PacketView packet;
  std::uint32_t linktype = 0;
  const char* why = "";

  static Decoded need(std::uint64_t bytes) { return {Kind::more, bytes, {}, 0, ""}; }
  static Decoded skip(std::uint64_t bytes) { return {Kind::other, bytes, {}, 0, ""}; }
  static Decoded broken(const char* why) { return {Kind::damaged, 0, {}, 0, why}; }
};

}  // namespace wirespool::format
