// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::dpdk {

// The CPUs this process may move its threads to: what taskset(1) took away can be had again, what a cpuset (a
// container's, say) took away cannot. Found by trying, on a thread of its own.
std::vector<unsigned> usable_cpus();

// The CPUs the calling thread runs on now: what the user wants this program on, if asked before EAL starts.
std::vector<unsigned> own_cpus();

// Those of `cpus` that no lcore polls on; all of them if that leaves none.
std::vector<unsigned> spare_cpus(const plan::CapturePlan& plan, const std::vector<unsigned>& cpus);

}  // namespace wirespool::dpdk
