// SPDX-License-Identifier: BSD-3-Clause
#include "tools/terminal.hpp"

#include <unistd.h>

#include "storage/speaker.hpp"

namespace wirespool::tools {

bool stdin_is_terminal() noexcept { return ::isatty(STDIN_FILENO) != 0; }
bool stdout_is_terminal() noexcept { return ::isatty(STDOUT_FILENO) != 0; }
bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) != 0; }

void hold_standard_streams() noexcept { storage::hold_standard_streams(); }

}  // namespace wirespool::tools
