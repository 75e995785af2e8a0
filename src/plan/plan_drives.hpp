// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "plan/plan_ports.hpp"

namespace wirespool::plan {

// The drives Blocks are spread over, in --output order; none unless --until disk.
std::vector<PlannedDrive> plan_drives(const CaptureConfig& config, const Machine& machine, Findings& findings);

}  // namespace wirespool::plan
