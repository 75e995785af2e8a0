// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/exit.hpp"
#include "wirespool/error.hpp"

namespace wirespool::cli {

using options::Exit;

// "wirespool: what: why: what to do", one line, control characters made visible.
std::string error_line(std::string_view what, std::string_view why = "", std::string_view what_to_do = "");
std::string error_line(const Error& error);

// One line each on stderr. Gives the exit code: of several, wrong use counts before all else.
int print_errors(const std::vector<Error>& errors);
int print_error(const Error& error);

// The name closest to `given`, if it can be a misspelling of it; else "".
std::string closest(std::string_view given, const std::vector<std::string>& names);

}  // namespace wirespool::cli
