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

// Prints each on a line of stderr. Returns the exit code: wrong use comes before all else.
int print_errors(const std::vector<Error>& errors);
int print_error(const Error& error);

// The name closest to `given`, if `given` can be a misspelling of it; else "".
std::string closest(std::string_view given, const std::vector<std::string>& names);

// Prints a command's whole result to stdout. Returns `exit_code`, the command's own; but if the result cannot be
// written (a full disk, a closed descriptor, a reader that has gone), that is one line on stderr and never 0.
int print(const std::string& text, int exit_code = Exit::done);

// Prints something for people to stderr. If that fails, nothing else changes.
void tell(const std::string& text);

// Prints lines to stderr, each with the program's name in front.
void print_notices(const std::vector<std::string>& notices);

}  // namespace wirespool::cli
