// SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "plan/capture_plan.hpp"
#include "plan/plan_steps.hpp"

namespace wirespool::plan {

CapturePlan in_effect(CapturePlan plan, std::vector<PlannedPort> granted) {
  plan.ports = std::move(granted);
  plan.mbuf_bytes = 0;
  for (const auto& port : plan.ports) {
    plan.mbuf_bytes += pool_bytes(port);
    const auto refused = [&](const RxQueueRef& ref) { return ref.port == port.id && ref.queue >= port.rx_queues; };
    for (auto& rx : plan.rx_lcores) std::erase_if(rx.queues, refused);
  }
  return plan;
}

}  // namespace wirespool::plan
