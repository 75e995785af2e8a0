// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace wirespool::storage {

// The unit of direct I/O on an open file, as its file system tells it (statx(2) STATX_DIOALIGN, Linux 6.1): 0 if it has
// no direct I/O, nothing if it does not tell.
std::optional<std::uint32_t> direct_alignment(int fd) noexcept;

}  // namespace wirespool::storage
