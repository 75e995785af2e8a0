// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "options/values.hpp"
#include "plan/sizing.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Json = nlohmann::ordered_json;
using Text = std::back_insert_iterator<std::string>;

constexpr double seconds_per_hour = 3600;

unsigned lcores_of(const CapturePlan& plan) {
  return static_cast<unsigned>(1 + plan.rx_lcores.size() + plan.writers.size());
}

double used_percent(double offered, double each, std::size_t lcores) {
  return 100 * offered / (each * static_cast<double>(lcores));
}

void write_traffic(Text out, const Demand& demand, const Sizing& sizing) {
  fmt::format_to(out, "{:g} Gbit/s of {}, frames of {:.0f} bytes with FCS on average\n",
                 static_cast<double>(demand.bits_per_s) / 1e9, demand.mix.name, mean_bytes(demand.mix));
  fmt::format_to(out, "  packets    {:.2f} M a second\n", sizing.mpps);
  fmt::format_to(out, "  stored     {:.2f} GB a second, {:.1f} TB an hour\n", sizing.stored_bytes_per_s / 1e9,
                 sizing.stored_bytes_per_s * seconds_per_hour / 1e12);
}

void write_lcores(Text out, const Demand& demand, const Sizing& sizing) {
  const auto& plan = sizing.plan;
  fmt::format_to(out, "lcores       {}, each on a CPU core of its own but the first\n", lcores_of(plan));
  fmt::format_to(out, "  report     1\n");
  fmt::format_to(out, "  receive    {:<4} {:.1f} Mpps each at most, {:.0f} % used{}\n", plan.rx_lcores.size(),
                 sizing.rx_mpps, used_percent(sizing.mpps, sizing.rx_mpps, plan.rx_lcores.size()),
                 demand.handoff == HandoffKind::blocks ? "; they build the Blocks, too" : "");
  if (sizing.writer_mpps > 0) {
    fmt::format_to(out, "  write      {:<4} {:.1f} Mpps each at most, {:.0f} % used\n", plan.writers.size(),
                   sizing.writer_mpps, used_percent(sizing.mpps, sizing.writer_mpps, plan.writers.size()));
  } else {
    fmt::format_to(out, "  write      {:<4} nothing but I/O\n", plan.writers.size());
  }
}

void write_rest(Text out, const Demand& demand, const Sizing& sizing) {
  const auto& plan = sizing.plan;
  fmt::format_to(out, "RX queues    {} of each of {} port(s), {} descriptors each\n", plan.config.rx_queues,
                 plan.ports.size(), plan.ports.front().rx_desc);
  fmt::format_to(out, "drives       {} of {:.2f} GB/s, {} of them to spare\n", plan.drives.size(),
                 static_cast<double>(demand.drive_bytes_per_s) / 1e9, demand.spare_drives);
  fmt::format_to(out, "memory       {} in hugepages\n", options::format_size(plan.hugepage_bytes()));
  fmt::format_to(out, "  mbufs      {}\n", options::format_size(plan.mbuf_bytes));
  fmt::format_to(out, "  handoffs   {}\n", options::format_size(plan.handoff_bytes));
  fmt::format_to(
      out, "  blocks     {}, {} of {}: bridge {:.0f} ms without a drive\n", options::format_size(plan.blocks_bytes),
      plan.blocks, options::format_size(plan.block_bytes),
      static_cast<double>(plan.blocks) * static_cast<double>(plan.block_bytes) / sizing.stored_bytes_per_s * 1e3);
}

std::string last_lcore(const CapturePlan& plan) { return std::to_string(lcores_of(plan) - 1); }

std::string command_of(const Demand& demand, const CapturePlan& plan) {
  std::string text = fmt::format("wirespool capture -l 0-{}", last_lcore(plan));
  for (std::size_t i = 0; i < plan.ports.size(); ++i) text += " -a PCI_ADDRESS";
  text += fmt::format(" -- --rx-queues {} --rx-lcores 1-{} --writer-lcores {}-{} --blocks {}", plan.config.rx_queues,
                      plan.rx_lcores.size(), 1 + plan.rx_lcores.size(), last_lcore(plan), plan.blocks);
  if (demand.handoff == HandoffKind::blocks) text += " --handoff blocks";
  if (demand.snaplen != Demand{}.snaplen) text += fmt::format(" --snaplen {}", demand.snaplen);
  for (const auto& drive : plan.drives) text += " --output " + drive.path;
  return text;
}

}  // namespace

std::string describe(const Demand& demand, const StageRates& rates, const Sizing& sizing) {
  std::string text;
  Text out = std::back_inserter(text);
  write_traffic(out, demand, sizing);
  write_lcores(out, demand, sizing);
  write_rest(out, demand, sizing);
  fmt::format_to(out, "command      {}\n", command_of(demand, sizing.plan));
  fmt::format_to(out,
                 "Planned with {} % of what one lcore did on {}, received from memory. A NIC, its PCIe slot and its VF "
                 "have limits "
                 "of their own: measure them with --until rx; drives with wirespool disk-bench.\n",
                 demand.load_percent, rates.measured_on);
  return text;
}

std::string to_json(const Demand& demand, const StageRates& rates, const Sizing& sizing) {
  const auto& plan = sizing.plan;
  const Json json = {{"rate_bits", demand.bits_per_s},
                     {"mix", demand.mix.name},
                     {"mean_frame_bytes", mean_bytes(demand.mix)},
                     {"handoff", word(demand.handoff)},
                     {"load_percent", demand.load_percent},
                     {"mpps", sizing.mpps},
                     {"stored_bytes_per_s", sizing.stored_bytes_per_s},
                     {"rx_lcore_mpps", sizing.rx_mpps},
                     {"writer_lcore_mpps", sizing.writer_mpps > 0 ? Json(sizing.writer_mpps) : Json(nullptr)},
                     {"lcores", lcores_of(plan)},
                     {"rx_lcores", plan.rx_lcores.size()},
                     {"writer_lcores", plan.writers.size()},
                     {"ports", plan.ports.size()},
                     {"rx_queues", plan.config.rx_queues},
                     {"drives", plan.drives.size()},
                     {"spare_drives", demand.spare_drives},
                     {"blocks", plan.blocks},
                     {"block_bytes", plan.block_bytes},
                     {"mbuf_bytes", plan.mbuf_bytes},
                     {"handoff_bytes", plan.handoff_bytes},
                     {"blocks_bytes", plan.blocks_bytes},
                     {"hugepage_bytes", plan.hugepage_bytes()},
                     {"command", command_of(demand, plan)},
                     {"measured_on", rates.measured_on}};
  return json.dump(2) + "\n";
}

}  // namespace wirespool::plan
