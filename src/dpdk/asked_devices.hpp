// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::dpdk {

// Every device that -a or --vdev asked for and that did not come up: EAL starts without it. After Eal::start.
std::vector<Error> missing_devices();

}  // namespace wirespool::dpdk
