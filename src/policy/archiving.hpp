// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace wirespool::policy {

// What a drive reports at a look.
struct DriveLook {
  std::uint64_t waits = 0;   // how often Blocks found as many writes under way as it may have; only grows
  std::uint64_t blocks = 0;  // Blocks that are on it; only grows
  std::uint64_t load = 0;    // Blocks that were handed to it and are not on it yet
};

// Whether drives are calm: for `quiet_ns` no Block waited for any of them, neither for its turn nor for a write that
// was under way from one look to the next while nothing else got done. One thread.
class Calm {
 public:
  explicit Calm(std::uint64_t quiet_ns) noexcept : quiet_ns_(quiet_ns) {}

  // Looks a few times a second, at the same drives each time. Not calm before it has looked for `quiet_ns`.
  bool look(std::span<const DriveLook> drives, std::uint64_t now_ns);

 private:
  std::uint64_t quiet_ns_;
  std::uint64_t since_ns_ = 0;  // when a Block last waited, or the first look
  std::vector<DriveLook> before_;
};

// More than a file takes has to be free: directories and the file system's own books take room too.
inline constexpr std::uint64_t archive_reserve = 1 << 20;

// Which archive takes a file of `bytes`: they are filled one after the other, in the order given. `free`: bytes in
// each, 0 if it cannot be used just now. nullopt: none takes it.
std::optional<std::size_t> archive_for(std::uint64_t bytes, std::span<const std::uint64_t> free) noexcept;

}  // namespace wirespool::policy
