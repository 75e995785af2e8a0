// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <iterator>

#include "options/values.hpp"
#include "plan/sizing.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Text = std::back_insert_iterator<std::string>;

constexpr double seconds_per_hour = 3600;

double used_percent(double offered, double each, std::size_t lcores) {
  return 100 * offered / (each * static_cast<double>(lcores));
}

void write_traffic(Text out, const Demand& demand, const Sizing& sizing) {
  fmt::format_to(out, "{:g} Gbit/s of {}, frames of {:.0f} bytes with FCS on average\n",
                 static_cast<double>(demand.bits_per_s) / 1e9, demand.mix.name, mean_bytes(demand.mix));
  fmt::format_to(out, "  packets    {:.2f} M a second\n", sizing.mpps);
  if (!sizing.limited_by.empty())
    fmt::format_to(out, "  received   {:.2f} M a second, by the limit of {}: {:.1f} % do not reach the lcores\n",
                   sizing.received_mpps, sizing.limited_by, 100 * (1 - sizing.received_mpps / sizing.mpps));
  fmt::format_to(out, "  stored     {:.2f} GB a second, {:.1f} TB an hour\n", sizing.stored_bytes_per_s / 1e9,
                 sizing.stored_bytes_per_s * seconds_per_hour / 1e12);
}

// "18.0 Mpps each at most (30.6 with nothing on), 35 % used".
std::string rate_text(double received, double with_features, double bare, std::size_t lcores) {
  const auto bare_text = with_features < bare ? fmt::format(" ({:.1f} with nothing on)", bare) : "";
  return fmt::format("{:<4} {:.1f} Mpps each at most{}, {:.0f} % used", lcores, with_features, bare_text,
                     used_percent(received, with_features, lcores));
}

void write_writers(Text out, const Sizing& sizing) {
  const auto writers = sizing.plan.writers.size();
  const bool only_io = sizing.writer_mpps <= 0;
  if (only_io && ns_of(sizing.features, false) <= 0) {
    fmt::format_to(out, "  write      {:<4} nothing but I/O\n", writers);
    return;
  }
  const double bare = only_io ? sizing.writer_with_features_mpps : sizing.writer_mpps;
  fmt::format_to(out, "  write      {}{}\n",
                 rate_text(sizing.received_mpps, sizing.writer_with_features_mpps, bare, writers),
                 only_io ? "; I/O, and what is on" : "");
}

void write_lcores(Text out, const Demand& demand, const Sizing& sizing) {
  const auto& plan = sizing.plan;
  fmt::format_to(out, "lcores       {}, each on a CPU core of its own but the first\n", plan_lcores(plan));
  fmt::format_to(out, "  report     1\n");
  fmt::format_to(out, "  receive    {}{}\n",
                 rate_text(sizing.received_mpps, sizing.rx_with_features_mpps, sizing.rx_mpps, plan.rx_lcores.size()),
                 demand.handoff == HandoffKind::blocks ? "; they build the Blocks, too" : "");
  if (const auto* least = least_of(sizing.limits.queue); least->origin == Origin::published)
    fmt::format_to(out, "{:13}with {:.1f} Mpps of each queue: no more was published of it\n", "", *least->mpps);
  write_writers(out, sizing);
}

void write_features(Text out, const Sizing& sizing) {
  fmt::format_to(out, "on           {}\n",
                 sizing.features.empty() ? "nothing" : "and what it takes for each packet, ns");
  for (const auto& feature : sizing.features)
    fmt::format_to(out, "  {:<16} {:<6} {:>7.1f}  {}: {}\n", feature.option, feature.on_rx ? "RX" : "writer",
                   feature.ns, word(feature.origin), feature.source);
}

std::string percent_text(const std::optional<double>& percent) {
  return percent ? fmt::format("{:.0f} % of a CPU each", *percent) : "not known";
}

void write_cpu(Text out, const Demand& demand, const CpuTime& cpu) {
  if (demand.idle == Idle::poll) {
    fmt::format_to(out, "CPU time     all of a CPU for each lcore but the first, whatever comes (--idle poll)\n");
    return;
  }
  constexpr auto us = 1e3;
  fmt::format_to(out, "CPU time     while nothing comes (--idle adaptive)\n");
  fmt::format_to(out, "  receive    {}: rings last {:.1f} us at line rate, sleeps {:.1f} us at most\n",
                 percent_text(cpu.idle_rx_percent), static_cast<double>(cpu.ring_ns) / us,
                 static_cast<double>(cpu.rx_sleep_ns) / us);
  fmt::format_to(out, "  write      {}: sleeps of {:.1f} us at most\n", percent_text(cpu.idle_writer_percent),
                 static_cast<double>(cpu.writer_sleep_ns) / us);
  fmt::format_to(out, "  with these packets it is not known; measured: {}\n", idle_measured);
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
  if (plan.flow_bytes) fmt::format_to(out, "  flows      {}\n", options::format_size(plan.flow_bytes));
  fmt::format_to(
      out, "  blocks     {}, {} of {}: bridge {:.0f} ms without a drive\n", options::format_size(plan.blocks_bytes),
      plan.blocks, options::format_size(plan.block_bytes),
      static_cast<double>(plan.blocks) * static_cast<double>(plan.block_bytes) / sizing.stored_bytes_per_s * 1e3);
}

void write_limit(Text out, const Limit& limit) {
  const auto number = limit.mpps ? fmt::format("{:.2f}", *limit.mpps) : "-";
  const auto date = limit.date.empty() ? "" : fmt::format(", {}", limit.date);
  fmt::format_to(out, "  {:<18} {:>7}  {}{}: {}\n", limit.of, number, word(limit.origin), date, limit.source);
}

void write_limits(Text out, const Sizing& sizing) {
  fmt::format_to(out, "limits       with this mix, M packets a second\n");
  for (const auto& limit : sizing.limits.machine) write_limit(out, limit);
  fmt::format_to(out, "  of one RX queue, of which the smaller counts:\n");
  for (const auto& limit : sizing.limits.queue) write_limit(out, limit);
  fmt::format_to(out, "  memory moves at most {:.1f} GB a second, if nothing stays in a cache\n",
                 sizing.memory_bytes_per_s / 1e9);
}

std::string_view where_frames_were(Regime regime) {
  switch (regime) {
    case Regime::cached:
      return "with frames that stay in the cache, as packets of a NIC do not: through memory an lcore does less (Intel "
             "Xeon with 480 MiB of L3, CAIDA-like, one run: 62 Gbit/s instead of 94 with --handoff blocks, 52 instead "
             "of 71 with packets)";
    case Regime::memory:
      return "with frames that come out of memory";
    case Regime::not_known:
      break;
  }
  return "and whether frames came from the cache or from memory is not known";
}

}  // namespace

std::string describe(const Demand& demand, const StageRates& rates, const Sizing& sizing) {
  std::string text;
  Text out = std::back_inserter(text);
  write_traffic(out, demand, sizing);
  write_lcores(out, demand, sizing);
  write_rest(out, demand, sizing);
  write_features(out, sizing);
  write_cpu(out, demand, sizing.cpu);
  write_limits(out, sizing);
  fmt::format_to(out, "command      {}\n", command_of(demand, sizing.plan));
  fmt::format_to(out,
                 "Planned with {} % of what one lcore did on {}, {}. What was published is of other machines: measure "
                 "yours with --until rx, drives with wirespool disk-bench.\n",
                 demand.load_percent, rates.measured_on, where_frames_were(rates.regime));
  return text;
}

}  // namespace wirespool::plan
