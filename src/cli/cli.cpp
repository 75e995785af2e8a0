// SPDX-License-Identifier: BSD-3-Clause
#include "cli/cli.hpp"

namespace wirespool::cli {

int run(int, char**) { return 1; }

}  // namespace wirespool::cli
