// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Records into memory: the one copy. Everything here is inlined into the Appender's loop.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "format/pcap.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// A stamp as pcap wants it, seconds and nanoseconds. Consecutive packets nearly always share their second, so that a
// stamp costs a subtraction and the division is done once a second.
struct Second {
  std::uint32_t number = 0;
  std::uint64_t begin_ns = 0;

  static Second of(Timestamp time) noexcept { return {time.seconds(), std::uint64_t{time.seconds()} * 1'000'000'000}; }
  bool holds(Timestamp time) const noexcept { return time.ns - begin_ns < 1'000'000'000; }

  // Of a packet whose stamp it holds.
  PcapRecordHeader header(Timestamp time, std::uint32_t caplen, std::uint32_t wirelen) const noexcept {
    return {number, static_cast<std::uint32_t>(time.ns - begin_ns), caplen, wirelen};
  }
};

// memcpy for frames: moves of fixed size the compiler expands in place, the last one overlapping the one before, so
// that neither buffer is touched outside [0, bytes).
inline void copy_frame(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  if (bytes >= 64) {
    if (bytes > 1024) {
      std::memcpy(to, from, bytes);
      return;
    }
    std::size_t at = 0;
    do {
      __builtin_memcpy(to + at, from + at, 64);
      at += 64;
    } while (at + 64 <= bytes);
    __builtin_memcpy(to + bytes - 64, from + bytes - 64, 64);
    return;
  }
  if (bytes >= 32) {
    __builtin_memcpy(to, from, 32);
    __builtin_memcpy(to + bytes - 32, from + bytes - 32, 32);
    return;
  }
  if (bytes) std::memcpy(to, from, bytes);
}

// Two moves of eight bytes: put together from four numbers of four, GCC takes a detour through vector registers.
inline void put_header(std::byte* to, const PcapRecordHeader& header) noexcept {
  const auto pair = [](std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; };
  const std::uint64_t time = pair(header.seconds, header.nanoseconds);
  const std::uint64_t lengths = pair(header.caplen, header.wirelen);
  std::memcpy(to, &time, sizeof time);
  std::memcpy(to + sizeof time, &lengths, sizeof lengths);
}

// Header and payload; `to` has room for both. Returns the byte after them.
inline std::byte* put_record(std::byte* to, const PcapRecordHeader& header, const std::byte* frame) noexcept {
  put_header(to, header);
  copy_frame(to + sizeof header, frame, header.caplen);
  return to + sizeof header + header.caplen;
}

}  // namespace wirespool::format
