// SPDX-License-Identifier: BSD-3-Clause
#include "tools/terminal.hpp"

#include "storage/terminal.hpp"

namespace wirespool::tools {

bool stdout_is_terminal() { return storage::stdout_is_terminal(); }
bool stderr_is_terminal() { return storage::stderr_is_terminal(); }

}  // namespace wirespool::tools
