// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "cli/errors.hpp"

namespace wirespool::cli {

// A command's result, whole, to stdout. Gives `exit_code`, which is what the command has to say; a result that cannot
// be written (a full disk, a closed descriptor, a reader that has gone) is one line on stderr and never 0.
int print(const std::string& text, int exit_code = Exit::done);

// Something for people, to stderr. One that cannot be written changes nothing.
void tell(const std::string& text);

}  // namespace wirespool::cli
