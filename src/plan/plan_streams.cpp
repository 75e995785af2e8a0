// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <optional>

#include "plan/plan_steps.hpp"

namespace wirespool::plan {
namespace {

bool nic_stamps(const CapturePlan& plan, const RxQueueRef& queue) { return port_of(plan, queue.port).hw_timestamp; }

unsigned add_stream(CapturePlan& plan, unsigned rx) {
  plan.streams.push_back({.rx = rx});
  return static_cast<unsigned>(plan.streams.size() - 1);
}

}  // namespace

const PlannedPort& port_of(const CapturePlan& plan, unsigned id) {
  return *std::ranges::find(plan.ports, id, &PlannedPort::id);
}

// Packets stamped by the TSC are stamped in the order of polling, so one Stream is enough for all such queues of an
// lcore.
void plan_streams(CapturePlan& plan) {
  for (unsigned rx = 0; rx < plan.rx_lcores.size(); ++rx) {
    std::optional<unsigned> polled;
    for (auto& queue : plan.rx_lcores[rx].queues) {
      if (nic_stamps(plan, queue)) {
        queue.stream = add_stream(plan, rx);
        continue;
      }
      if (!polled) polled = add_stream(plan, rx);
      queue.stream = *polled;
    }
  }
}

}  // namespace wirespool::plan
