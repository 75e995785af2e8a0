// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::plan {

// What the steps of make_plan find out on the way.
struct Findings {
  std::vector<Error> problems;
  std::vector<std::string> notices;
};

// The ports asked for, in the order asked; all of them if none was named.
std::vector<MachinePort> select_ports(const CaptureConfig& config, const Machine& machine, Findings& findings);

// Queues, descriptors, buffers and offloads of one port. Its pool is sized later, when the lcores are known.
PlannedPort plan_port(const CaptureConfig& config, const MachinePort& port, Findings& findings);

}  // namespace wirespool::plan
