// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::cli {

// interface.md's exit codes.
enum Exit : int { done = 0, wrong_use = 1, machine_not_ready = 2, capture_failed = 3, packets_lost = 4 };

// "wirespool: what: why: what to do", one line, control characters made visible.
std::string error_line(std::string_view what, std::string_view why, std::string_view what_to_do);

std::string problem_line(const plan::Problem& problem);

// One line each on stderr. Gives the exit code: wrong use counts before a machine that is not ready.
int print_problems(const std::vector<plan::Problem>& problems);

// The name closest to `given`, if it can be a misspelling of it; else "".
std::string closest(std::string_view given, const std::vector<std::string>& names);

}  // namespace wirespool::cli
