// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/directory.hpp"
#include "storage/read_file.hpp"

namespace wirespool::storage {

// The written parts of a file of `size` bytes as the file system's own records have them; nullopt where it does not
// tell. lseek(2) with SEEK_DATA is no help here: ext4 and XFS answer from the page cache, and take a part that was
// never written, but has been read since, for data.
std::optional<std::vector<Extent>> written_extents(int fd, std::uint64_t size);

// Whether the file system tells parts of a file that were never written from zeros that were (lseek(2), SEEK_DATA).
// Found by a file without a name that is gone when the answer is there; false if none can be made.
bool knows_holes(const Directory& directory) noexcept;

}  // namespace wirespool::storage
