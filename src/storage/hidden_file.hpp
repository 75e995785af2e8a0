// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace wirespool::storage {

// Whether a capture still writes to a hidden file, without touching the file. A capture holds an flock(2) on it;
// between making and locking it lie microseconds, so an empty file counts as in use while a capture of this STEM runs
// there (DirectoryLock).
enum class HiddenFileUse { in_use, left_behind, cannot_tell };
HiddenFileUse use_of_hidden_file(const std::string& directory, const std::string& name, const std::string& stem);

}  // namespace wirespool::storage
