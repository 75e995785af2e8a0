// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>
#include <string>

#include "plan/capture_plan.hpp"

namespace wirespool::test {

inline plan::MachineLcore an_lcore(unsigned id, int node = 0) { return {id, node, {id}}; }

inline plan::MachinePort a_port(unsigned id, unsigned max_queues = 1, int node = 0) {
  plan::MachinePort port;
  port.id = id;
  port.name = "0000:3b:0" + std::to_string(id) + ".0";
  port.driver = "net_ice";
  port.numa_node = node;
  port.max_rx_queues = max_queues;
  port.min_rx_desc = 64;
  port.max_rx_desc = 4096;
  port.rx_desc_align = 32;
  port.max_frame = 9728;
  port.max_mtu = 9702;
  port.rss_functions = 0x3ffc;
  return port;
}

inline plan::MachineDrive a_drive(unsigned id, int node = 0) {
  plan::MachineDrive drive;
  drive.path = "/data/nvme" + std::to_string(id);
  drive.real_path = drive.path;
  drive.device = 100 + id;
  drive.device_name = "nvme" + std::to_string(id) + "n1";
  drive.file_system = "xfs";
  drive.free_bytes = 1ull << 40;
  drive.numa_node = node;
  return drive;
}

// Lcores 0 to lcores-1 on node 0, ports and drives there too.
inline plan::Machine a_machine(unsigned lcores, unsigned ports, unsigned drives, unsigned max_queues = 8) {
  plan::Machine machine;
  for (unsigned i = 0; i < lcores; ++i) machine.lcores.push_back(an_lcore(i));
  for (unsigned i = 0; i < ports; ++i) machine.ports.push_back(a_port(i, max_queues));
  for (unsigned i = 0; i < drives; ++i) machine.drives.push_back(a_drive(i));
  return machine;
}

// A capture to all drives of `machine`.
inline plan::CaptureConfig a_config(const plan::Machine& machine) {
  plan::CaptureConfig config;
  for (const auto& drive : machine.drives) config.outputs.push_back(drive.path);
  return config;
}

inline plan::CapturePlan must_plan(const plan::CaptureConfig& config, const plan::Machine& machine) {
  const auto plan = plan::make_plan(config, machine);
  std::string text;
  if (!plan) {
    for (const auto& problem : plan.error()) text += problem.what + ": " + problem.why + "; ";
    throw std::runtime_error("no plan: " + text);
  }
  return *plan;
}

// The problems, one "option: why" a line.
inline std::string problems_of(const std::vector<Error>& problems) {
  std::string text;
  for (const auto& problem : problems) text += problem.what + ": " + problem.why + "\n";
  return text;
}

inline std::string problems_of(const plan::CaptureConfig& config, const plan::Machine& machine) {
  const auto plan = plan::make_plan(config, machine);
  return plan ? std::string{} : problems_of(plan.error());
}

inline std::string notices_of(const plan::CapturePlan& plan) {
  std::string text;
  for (const auto& notice : plan.notices) text += notice + "\n";
  return text;
}

inline std::vector<unsigned> lcores_of(const std::vector<plan::PlannedRxLcore>& list) {
  std::vector<unsigned> ids;
  for (const auto& item : list) ids.push_back(item.lcore);
  return ids;
}

inline std::vector<unsigned> lcores_of(const std::vector<plan::PlannedWriter>& list) {
  std::vector<unsigned> ids;
  for (const auto& item : list) ids.push_back(item.lcore);
  return ids;
}

}  // namespace wirespool::test
