// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "plan/plan_ports.hpp"

namespace wirespool::plan {

// Who polls which queue and who writes to which drive: fills rx_lcores and writers of `plan`, whose ports and drives
// are decided. At least one queue.
void plan_lcores(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings);

}  // namespace wirespool::plan
