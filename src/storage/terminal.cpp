// SPDX-License-Identifier: BSD-3-Clause
#include "storage/terminal.hpp"

#include <unistd.h>

namespace wirespool::storage {

bool stdout_is_terminal() noexcept { return ::isatty(STDOUT_FILENO) != 0; }
bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) != 0; }

}  // namespace wirespool::storage
