// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

namespace wirespool::capture {

// The CPUs this process may move its threads to: what taskset(1) took away can be had again, what a cpuset (a
// container's, say) took away cannot. Found by trying, on a thread of its own.
std::vector<unsigned> usable_cpus();

}  // namespace wirespool::capture
