// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

namespace wirespool::machine {

// The calling thread, and all it starts from now on, runs on these CPUs only (none named: where it may already) and
// gives way to everything else there. A kernel that does not let it is no reason to stop.
void stay_in_background(const std::vector<unsigned>& cpus) noexcept;

}  // namespace wirespool::machine
