// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/directory.hpp"
#include "storage/read_file.hpp"

namespace wirespool::storage {

// The written parts of a file of `size` bytes, from the file system's own records; nullopt where it does not tell.
// lseek(2) with SEEK_DATA will not do: ext4 and XFS answer from the page cache, and take a part that was never written,
// but was read, for data.
std::optional<std::vector<Extent>> written_extents(int fd, std::uint64_t size);

// Whether the file system distinguishes parts of a file that were never written from written zeros (lseek(2),
// SEEK_DATA). Tried with a file without a name, gone afterwards; false if none can be made.
bool knows_holes(const Directory& directory) noexcept;

}  // namespace wirespool::storage
