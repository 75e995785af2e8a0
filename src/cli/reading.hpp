// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace wirespool::cli {

// What the commands that read a spool have in common.

// Lines on stderr, each with the program's name in front.
void print_notices(const std::vector<std::string>& notices);

}  // namespace wirespool::cli
