// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
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

// The drives Blocks are spread over, in --output order; none unless --until disk.
std::vector<PlannedDrive> plan_drives(const CaptureConfig& config, const Machine& machine, Findings& findings);

// Who polls which queue and who writes to which drive: fills rx_lcores and writers of `plan`, whose ports and drives
// are decided. At least one queue.
void plan_lcores(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings);

// Which packets of an RX lcore are kept in one order: fills streams, and `stream` of each RxQueueRef, of `plan`, whose
// ports and RX lcores are decided.
void plan_streams(CapturePlan& plan);

// Whether each drive has room for what is to be kept of it. The lcores, streams and drives of `plan` are decided.
void check_retention(const Machine& machine, const CapturePlan& plan, Findings& findings);

// Sizes of everything that is taken before the first packet: pools, Handoffs, Blocks. The ports, lcores, streams
// and drives of `plan` are decided.
void plan_memory(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings);

// Hugepage bytes of one port's pool: its mbufs, its ring and its per-lcore caches.
std::uint64_t pool_bytes(const PlannedPort& port);

// Spreads items over holders as evenly as they go, an item to a holder of its own NUMA node where that leaves them
// even. A node of -1 is unknown and matches none. Gives each holder's items, in order. Needs at least one holder.
std::vector<std::vector<std::size_t>> spread(std::span<const int> item_nodes, std::span<const int> holder_nodes);

}  // namespace wirespool::plan
