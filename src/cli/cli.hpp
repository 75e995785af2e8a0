// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::cli {

// Runs the command that argv names and returns the process's exit code. The one place that prints errors.
int run(int argc, char** argv);

}  // namespace wirespool::cli
