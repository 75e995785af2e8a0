// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "wirespool/filter.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool {

// Which packets of many files are wanted.
struct Query {
  Timestamp from{0};
  Timestamp to{std::numeric_limits<std::uint64_t>::max()};  // not included
  std::optional<Filter> filter = std::nullopt;              // none: all packets of that time
  bool use_index = true;                                    // false: everything is read, as if there were no index
  std::size_t buffer_bytes = 128 << 20;                     // for all files together; with very many files, more
  // Once it is true, nothing more is read: a Merge ends where it is, and whoever set it knows that packets are missing.
  // Looked at now and then; not owned.
  const std::atomic<bool>* stop = nullptr;
};

}  // namespace wirespool
