// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>

#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

struct TrialResult {
  bool direct_io = false;
  bool preallocation = false;       // fallocate(2) mode 0 works
  std::uint32_t block_bytes = 512;  // what O_DIRECT takes, or `likely_block_bytes` without it
};

// Writes a block to a file without a name in `directory` and forgets it. Finds the smallest unit that O_DIRECT takes:
// what the file system says (statx(2) STATX_DIOALIGN, Linux 6.1), else `likely_block_bytes`, else 4096.
std::expected<TrialResult, IoError> try_writing(const Directory& directory, std::uint32_t likely_block_bytes);

}  // namespace wirespool::storage
