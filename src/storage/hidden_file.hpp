// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace wirespool::storage {

// Whether a capture still writes to a hidden file, without touching the file. A capture holds an flock(2) on it; a file
// made a moment ago may not have one yet, so it counts as in use.
enum class HiddenFileUse { in_use, left_behind, cannot_tell };
HiddenFileUse use_of_hidden_file(const std::string& path) noexcept;

}  // namespace wirespool::storage
