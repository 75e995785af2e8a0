// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// A part of something whose size is known elsewhere: "10%" (1 to 99) of it, or a size.
struct Share {
  unsigned percent = 0;     // 0: bytes
  std::uint64_t bytes = 0;  // if `percent` is 0
  bool operator==(const Share&) const = default;
};

// How much of what was captured is kept. Each limit that is given holds by itself.
struct RetainLimits {
  std::optional<Share> free = std::nullopt;                // of a file system, to stay free; Share{}: no such limit
  std::optional<std::uint64_t> size_bytes = std::nullopt;  // of a drive's files that may go
  std::optional<std::uint64_t> age_ns = std::nullopt;      // since a file's last packet

  bool any() const noexcept { return of_free() || size_bytes || age_ns; }
  bool of_free() const noexcept { return free && *free != Share{}; }
};

// A sealed file, in numbers.
struct KeptFile {
  unsigned drive = 0;       // which of several directories on one file system
  Timestamp last;           // its last packet
  std::uint64_t bytes = 0;  // of room that its removal frees
  bool may_go = true;       // false: it is pinned, or its age is not known
};

// One file system, as statvfs(3) has it.
struct Space {
  std::uint64_t free = 0, total = 0;
};

enum class RetainReason { age, size, free };

struct Going {
  std::size_t file = 0;  // index into the files that were given
  RetainReason why = RetainReason::age;
  bool operator==(const Going&) const = default;
};

// How many bytes of a file system of size `total` have to stay free; 0 without such a limit.
std::uint64_t bytes_to_stay_free(const RetainLimits& limits, std::uint64_t total) noexcept;

// Which files go, and why; those with the oldest packets go first. Files older than the age; on each drive, as many as
// exceed its size; and from all drives of the file system together, as many as are needed to leave enough of it free.
// Files that may not go do not count for the size. A file from the future is not old.
std::vector<Going> what_goes(std::span<const KeptFile> files, const RetainLimits& limits, Timestamp now, Space space);

}  // namespace wirespool::policy
