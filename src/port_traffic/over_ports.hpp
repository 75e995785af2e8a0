// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "storage/speaker.hpp"
#include "traffic/run.hpp"

namespace wirespool::port_traffic {

// Runs an application on ports of DPDK, from a request that has no problems: starts EAL with `eal_args` (those in front
// of
// "--"), waits for the ports' links, and polls on EAL's worker lcores. What DPDK says goes to `err`. Control thread,
// which becomes EAL's main lcore; once per process.
traffic::Outcome run_over_ports(const traffic::Request& request, const std::vector<std::string>& eal_args,
                                storage::Speaker& out, storage::Speaker& err, const traffic::StopFlag& stop);

}  // namespace wirespool::port_traffic
