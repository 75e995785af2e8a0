// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstring>

namespace wirespool::format {

// memcpy for frames: moves of fixed size that the compiler expands in place; the last one overlaps the one before, so
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

}  // namespace wirespool::format
