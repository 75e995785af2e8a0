// SPDX-License-Identifier: BSD-3-Clause
#include "tools/terminal.hpp"

#include <unistd.h>

#include "storage/speaker.hpp"
#include "storage/terminal_screen.hpp"

namespace wirespool::tools {

bool stdin_is_terminal() noexcept { return storage::is_terminal(STDIN_FILENO); }
bool stdout_is_terminal() noexcept { return storage::is_terminal(STDOUT_FILENO); }
bool stderr_is_terminal() noexcept { return storage::is_terminal(STDERR_FILENO); }

void hold_standard_streams() noexcept { storage::hold_standard_streams(); }

}  // namespace wirespool::tools
