// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "storage/directory.hpp"

namespace wirespool::storage {

// Whether the file system tells parts of a file that were never written from zeros that were (lseek(2), SEEK_DATA).
// Found by a file without a name that is gone when the answer is there; false if none can be made.
bool knows_holes(const Directory& directory) noexcept;

}  // namespace wirespool::storage
