// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>

#include "machine/sandbox.hpp"

namespace wirespool::cli {

// Once: gives up all but files for good (machine/sandbox.hpp), before anything foreign is read. Whether that failed is
// told.
void confine(const std::string& command, machine::FilesLeft files);

// From now on `command` writes only in the directories of `paths` (machine/write_places.hpp). A kernel that has no such
// limit is told of by `wirespool --version`; one that has it and refuses, on stderr. Before threads are started.
void write_only_in(const std::string& command, std::span<const std::string> paths);

}  // namespace wirespool::cli
