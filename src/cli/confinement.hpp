// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>

namespace wirespool::cli {

// From now on `command` writes only in the directories of `paths` (machine/write_places.hpp). A kernel that has no such
// limit is told of by `wirespool --version`; one that has it and refuses, on stderr. Before threads are started.
void write_only_in(const std::string& command, std::span<const std::string> paths);

}  // namespace wirespool::cli
