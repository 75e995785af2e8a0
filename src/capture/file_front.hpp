// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "dpdk/port.hpp"
#include "format/ledger_line.hpp"
#include "plan/capture_plan.hpp"

namespace wirespool::capture {

// What stands in front of every pcapng file of a capture: on what and by which program it is written, and an interface
// for each RX queue, in the plan's order. `ports` are started; `clock`: what is known of its times now. Control thread.
std::vector<std::byte> file_front(const plan::CapturePlan& plan, const std::vector<dpdk::Port>& ports,
                                  const format::ClockBound& clock);

}  // namespace wirespool::capture
