// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "plan/sizing.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

std::string last_lcore(const CapturePlan& plan) { return std::to_string(plan_lcores(plan) - 1); }

}  // namespace

unsigned plan_lcores(const CapturePlan& plan) {
  return static_cast<unsigned>(1 + plan.rx_lcores.size() + plan.writers.size());
}

std::string command_of(const Demand& demand, const CapturePlan& plan) {
  std::string text = fmt::format("wirespool capture -l 0-{}", last_lcore(plan));
  for (std::size_t i = 0; i < plan.ports.size(); ++i) text += " -a PCI_ADDRESS";
  text += fmt::format(" -- --rx-queues {} --rx-lcores 1-{} --writer-lcores {}-{} --blocks {}", plan.config.rx_queues,
                      plan.rx_lcores.size(), 1 + plan.rx_lcores.size(), last_lcore(plan), plan.blocks);
  if (demand.handoff == HandoffKind::blocks) text += " --handoff blocks";
  if (demand.rx_desc) text += fmt::format(" --rx-desc {}", *demand.rx_desc);
  if (demand.idle != Demand{}.idle) text += fmt::format(" --idle {}", word(demand.idle));
  if (demand.index != Demand{}.index) text += fmt::format(" --index {}", word(demand.index));
  if (demand.format != Demand{}.format) text += fmt::format(" --format {}", word(demand.format));
  if (!demand.checksum) text += " --checksum off";
  if (demand.filter) text += " --filter EXPR";
  if (demand.slice) text += " --slice l4";
  if (demand.flows) text += " --flows DIR";
  if (demand.snaplen != Demand{}.snaplen) text += fmt::format(" --snaplen {}", demand.snaplen);
  for (const auto& drive : plan.drives) text += " --output " + drive.path;
  return text;
}

}  // namespace wirespool::plan
