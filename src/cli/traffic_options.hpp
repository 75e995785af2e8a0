// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "options/table.hpp"
#include "traffic/request.hpp"

namespace wirespool::cli {

// The options of an application of traffic/, as far as it has them: over sockets, or on ports of DPDK.
options::Table<traffic::Request> traffic_table(traffic::Application application, bool on_ports);

}  // namespace wirespool::cli
