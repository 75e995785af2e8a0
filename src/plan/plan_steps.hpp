// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::plan {

// What the steps of make_plan report.
struct Findings {
  std::vector<Error> problems;
  std::vector<std::string> notices;
};

// The ports asked for, in that order; all ports if none was named.
std::vector<MachinePort> select_ports(const CaptureConfig& config, const Machine& machine, Findings& findings);

// Queues, descriptors, buffers and offloads of one port. Its pool is sized later, when the lcores are known.
PlannedPort plan_port(const CaptureConfig& config, const MachinePort& port, Findings& findings);

// The drives Blocks are spread over, in --output order; none unless --until disk.
std::vector<PlannedDrive> plan_drives(const CaptureConfig& config, const Machine& machine, Findings& findings);

// Who polls which queue and who writes to which drive: fills rx_lcores and writers of `plan`, whose ports and drives
// are decided. At least one queue.
void plan_lcores(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings);

// Decides which packets of an RX lcore share one order: fills streams, and `stream` of each RxQueueRef, of `plan`,
// whose ports and RX lcores are decided.
void plan_streams(CapturePlan& plan);

// Checks that each drive has room for what retention is to keep. The lcores, streams and drives of `plan` are decided.
void check_retention(const Machine& machine, const CapturePlan& plan, Findings& findings);

// Sizes of everything that is taken before the first packet: pools, Handoffs, Blocks. The ports, lcores, streams
// and drives of `plan` are decided.
void plan_memory(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings);

// How lcores sleep that find nothing to do: fills `idle` of the RX lcores and writers of `plan`, whose memory is
// decided.
void plan_idle(const CaptureConfig& config, const Machine& machine, CapturePlan& plan);

// The port of that number, which has to be one of the plan's.
const PlannedPort& port_of(const CapturePlan& plan, unsigned id);

// Hugepage bytes of one port's pool: its mbufs, its ring and its per-lcore caches.
std::uint64_t pool_bytes(const PlannedPort& port);

// Spreads items over holders as evenly as possible; among even spreads, prefers holders on an item's own NUMA node. A
// node of -1 is unknown and matches none. Returns each holder's items, in order. Needs at least one holder.
std::vector<std::vector<std::size_t>> spread(std::span<const int> item_nodes, std::span<const int> holder_nodes);

}  // namespace wirespool::plan
