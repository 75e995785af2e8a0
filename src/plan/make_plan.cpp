// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan/capture_plan.hpp"
#include "plan/plan_steps.hpp"

namespace wirespool::plan {

namespace {

// A port that is fed from a file loses nothing by waiting; a NIC would, unseen by us.
WhenFull usual_when_full(const std::vector<MachinePort>& ports) {
  return std::ranges::all_of(ports, &MachinePort::file_fed) ? WhenFull::wait : WhenFull::drop;
}

}  // namespace

std::expected<CapturePlan, std::vector<Error>> make_plan(const CaptureConfig& config, const Machine& machine) {
  Findings findings;
  CapturePlan plan;
  plan.config = config;
  plan.main_lcore = machine.main_lcore;
  plan.burst = config.burst;
  plan.filter = machine.filter;
  const auto ports = select_ports(config, machine, findings);
  for (const auto& port : ports) plan.ports.push_back(plan_port(config, port, findings));
  plan.when_full = config.when_full.value_or(usual_when_full(ports));
  plan.drives = plan_drives(config, machine, findings);
  if (!plan.ports.empty()) plan_lcores(config, machine, plan, findings);
  plan_streams(plan);
  check_retention(machine, plan, findings);
  if (!plan.rx_lcores.empty()) plan_memory(config, machine, plan, findings);
  plan_idle(config, machine, plan);
  if (!findings.problems.empty()) return std::unexpected(std::move(findings.problems));
  plan.notices = std::move(findings.notices);
  return plan;
}

CapturePlan in_effect(CapturePlan plan, std::vector<PlannedPort> granted, Io io) {
  plan.config.io = io;
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
