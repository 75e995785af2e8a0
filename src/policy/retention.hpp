// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// What is to be kept of what was captured. Each that is given holds by itself.
struct RetainLimits {
  std::uint64_t free_bytes = 0;                            // of a file system, to stay free; 0: no such limit
  unsigned free_percent = 0;                               // the same in hundredths of it; 0: no such limit
  std::optional<std::uint64_t> size_bytes = std::nullopt;  // of a drive's files that may go
  std::optional<std::uint64_t> age_ns = std::nullopt;      // since a file's last packet

  bool any() const noexcept { return of_free() || size_bytes || age_ns; }
  bool of_free() const noexcept { return free_bytes != 0 || free_percent != 0; }
};

// A sealed file, in numbers.
struct KeptFile {
  unsigned drive = 0;       // which of several directories on one file system
  Timestamp last;           // its last packet
  std::uint64_t bytes = 0;  // of room that is won when it goes
  bool may_go = true;       // false: it is pinned, or nobody knows how old it is
};

// One file system, as statvfs(3) has it.
struct Space {
  std::uint64_t free = 0, total = 0;
};

enum class RetainReason { age, size, free };

struct Going {
  std::size_t file = 0;  // index of what was given
  RetainReason why = RetainReason::age;
  bool operator==(const Going&) const = default;
};

// How many bytes are to stay free of a file system of that size: the larger of both limits.
std::uint64_t bytes_to_stay_free(const RetainLimits& limits, std::uint64_t total) noexcept;

// Which files go, those with the oldest packets first, and why: those older than the age; of each drive as many as it
// has too much; and of all drives of the file system together as many as are needed to have enough of it free. What may
// not go does not count for the size. A file of the future is not old.
std::vector<Going> what_goes(std::span<const KeptFile> files, const RetainLimits& limits, Timestamp now, Space space);

}  // namespace wirespool::policy
