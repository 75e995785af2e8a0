// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace wirespool::storage {

// How many more files this process can open just now (RLIMIT_NOFILE, getrlimit(2), less what is open), counted to 4096.
std::size_t free_descriptors() noexcept;

}  // namespace wirespool::storage
