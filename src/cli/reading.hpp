// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "tools/tool_problem.hpp"

namespace wirespool::cli {

// What the commands that read a spool have in common.

// One line on stderr; gives the exit code.
int print_problem(const tools::ToolProblem& problem);

// Lines on stderr, each with the program's name in front.
void print_notices(const std::vector<std::string>& notices);

}  // namespace wirespool::cli
