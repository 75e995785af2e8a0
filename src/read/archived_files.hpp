// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "wirespool/spool.hpp"

namespace wirespool::read {

// The directories of archives that hold files which a capture left in one directory (STEM-<start>.archived.json), none
// if none were moved; or why that cannot be known.
std::expected<std::vector<std::string>, std::string> archives_of(const std::string& directory, const std::string& stem,
                                                                 Timestamp start);

// Whether a directory can be that capture's place in an archive: an absolute path, in a directory of the capture's
// name.
bool is_place_of(const std::string& archive, const std::string& stem, Timestamp start);

// Where a file is that may have been moved into an archive since it was listed. Its own path if it was not.
std::string path_now(const SpoolEntry& entry);

}  // namespace wirespool::read
