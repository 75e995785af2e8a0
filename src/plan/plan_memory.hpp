// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "plan/plan_ports.hpp"

namespace wirespool::plan {

// Sizes of everything that is taken before the first packet: pools, Handoffs, Blocks. The ports, lcores and drives of
// `plan` are decided.
void plan_memory(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings);

// Hugepage bytes of one port's pool: its mbufs, its ring and its per-lcore caches.
std::uint64_t pool_bytes(const PlannedPort& port);

}  // namespace wirespool::plan
