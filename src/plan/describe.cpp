// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "options/page.hpp"
#include "options/values.hpp"
#include "plan/capture_plan.hpp"
#include "plan/capture_table.hpp"
#include "plan/plan_steps.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Text = std::back_insert_iterator<std::string>;
using Row = std::vector<std::string>;

std::string node(int numa_node) { return numa_node < 0 ? "node any" : fmt::format("node {}", numa_node); }

// Rows with their columns aligned, indented.
void write_table(Text out, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("  {:<{}}", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::format_to(out, "{}\n", line);
  }
}

std::string rss_of(const PlannedPort& port) {
  if (port.rss_functions == 0) return "no RSS";
  return fmt::format("RSS {}key, functions {:#x}", port.symmetric_key ? "symmetric " : "device's ", port.rss_functions);
}

Row row_of(const PlannedPort& port) {
  return {fmt::format("{}", port.id),
          port.name,
          port.driver,
          node(port.numa_node),
          fmt::format("{} x {} descriptors", port.rx_queues, port.rx_desc),
          fmt::format("{} mbufs of {}", port.mbufs, port.data_room),
          port.scatter ? "scatter" : "one mbuf a frame",
          fmt::format("MTU {}", port.mtu),
          port.hw_timestamp ? "NIC's clock" : "TSC",
          port.promiscuous ? "promiscuous" : "own frames only",
          rss_of(port)};
}

void write_filter(Text out, const CapturePlan& plan) {
  if (!plan.filter) return;
  fmt::format_to(out, "filter {}\n  run by {}{}\n", plan.config.filter, word(plan.filter->engine),
                 plan.filter->why.empty() ? "" : ": " + plan.filter->why);
}

void write_ports(Text out, const CapturePlan& plan) {
  std::vector<Row> rows;
  for (const auto& port : plan.ports) rows.push_back(row_of(port));
  fmt::format_to(out, "ports\n");
  write_table(out, rows);
}

std::string queues_of(const CapturePlan& plan, const PlannedRxLcore& rx) {
  if (rx.queues.empty()) return "no queue: its port grants fewer";
  std::string text;
  for (const auto& queue : rx.queues) {
    text += fmt::format("{}port {} queue {}", text.empty() ? "" : ", ", queue.port, queue.queue);
  }
  const auto streams = std::ranges::count(plan.streams, &rx - plan.rx_lcores.data(), &PlannedStream::rx);
  if (streams > 1) text += fmt::format("; {} Streams", streams);
  return text;
}

std::string drives_of(const CapturePlan& plan, const PlannedWriter& writer) {
  std::string text = fmt::format("w{:02}", writer.writer);
  if (writer.blocks > 0) text += fmt::format(", {} Blocks", writer.blocks);
  for (const unsigned drive : writer.drives) text += fmt::format(", {}", plan.drives[drive].path);
  return text;
}

void write_lcores(Text out, const CapturePlan& plan) {
  std::vector<Row> rows{{"main", fmt::format("lcore {}", plan.main_lcore), "", "reports"}};
  for (const auto& rx : plan.rx_lcores) {
    rows.push_back({"rx", fmt::format("lcore {}", rx.lcore), node(rx.numa_node), queues_of(plan, rx)});
  }
  for (const auto& writer : plan.writers) {
    rows.push_back({"writer", fmt::format("lcore {}", writer.lcore), node(writer.numa_node), drives_of(plan, writer)});
  }
  fmt::format_to(out, "lcores\n");
  write_table(out, rows);
}

std::string idle_of(const PlannedIdle& idle) {
  if (idle.longest_ns == 0) return "polls";
  return fmt::format("sleeps for {:.1f} us at most", static_cast<double>(idle.longest_ns) / 1000);
}

void write_idle(Text out, const CapturePlan& plan) {
  if (plan.config.idle == Idle::poll) return;
  std::vector<Row> rows;
  for (const auto& rx : plan.rx_lcores)
    rows.push_back({"rx", fmt::format("lcore {}", rx.lcore), idle_of(rx.idle), rx.idle.because});
  for (const auto& writer : plan.writers)
    rows.push_back({"writer", fmt::format("lcore {}", writer.lcore), idle_of(writer.idle), writer.idle.because});
  fmt::format_to(out, "with nothing to do\n");
  write_table(out, rows);
}

void write_drives(Text out, const CapturePlan& plan) {
  std::vector<Row> rows;
  for (const auto& drive : plan.drives) {
    const auto how = drive.direct_io ? fmt::format("O_DIRECT in {} bytes", drive.block_bytes) : "buffered";
    rows.push_back({drive.path, drive.file_system, drive.device_name.empty() ? "no device" : drive.device_name,
                    node(drive.numa_node), how});
  }
  if (rows.empty()) return;
  fmt::format_to(out, "drives\n");
  write_table(out, rows);
}

Row memory_row(std::string_view what, std::uint64_t bytes, std::string how) {
  const auto digits = fmt::format("{:>14}", options::group_digits(bytes));
  return {std::string(what), digits, bytes < 1024 ? "" : options::format_size(bytes), std::move(how)};
}

Row flows_row(const CapturePlan& plan) {
  std::uint64_t flows = 0;
  for (const auto& rx : plan.rx_lcores) flows += rx.flows;
  return memory_row("flows", plan.flow_bytes,
                    fmt::format("tables of {} flows in {} lcore(s)", flows, plan.rx_lcores.size()));
}

void write_memory(Text out, const CapturePlan& plan) {
  std::uint64_t mbufs = 0;
  for (const auto& port : plan.ports) mbufs += port.mbufs;
  const auto rings = plan.streams.size() * plan.writers.size();
  std::vector<Row> rows{
      memory_row("mbufs", plan.mbuf_bytes,
                 fmt::format("{} in {} pool(s), {} kept by each lcore", mbufs, plan.ports.size(), plan.mempool_cache)),
      memory_row("handoffs", plan.handoff_bytes,
                 plan.handoff_size ? fmt::format("{} of {} packets", rings, plan.handoff_size)
                                   : fmt::format("{} of Blocks", rings)),
      memory_row("blocks", plan.blocks_bytes,
                 fmt::format("{} of {} and {}", plan.blocks, options::format_size(plan.block_bytes),
                             options::format_size(plan.carry_bytes))),
  };
  if (plan.flow_bytes) rows.push_back(flows_row(plan));
  for (const auto& [what, bytes] :
       {std::pair{"in hugepages", plan.hugepage_bytes()}, {"index", plan.index_bytes}, {"total", plan.total_bytes()}})
    rows.push_back(memory_row(what, bytes, ""));
  fmt::format_to(out, "memory, bytes\n");
  write_table(out, rows);
}

// All that is in force and needed no decision, in the words of a command line.
void write_options(Text out, const CaptureConfig& config) {
  const auto& rows = capture_table().rows();
  const CaptureConfig untouched;
  std::string group;
  std::vector<std::string> arguments;
  const auto write_group = [&] {
    for (const auto& line : options::packed(arguments, 110)) fmt::format_to(out, "  {}\n", line);
    arguments.clear();
  };
  fmt::format_to(out, "options, * where not by default\n");
  for (const auto& row : rows) {
    if (row.group != std::exchange(group, row.group)) write_group();
    const auto value = row.value(config);
    const bool asked = value != row.value(untouched);
    for (const auto& argument : options::arguments_of(row, value)) arguments.push_back((asked ? "*" : "") + argument);
  }
  write_group();
}

}  // namespace

std::string describe(const CapturePlan& plan) {
  std::string text;
  const Text out(text);
  fmt::format_to(out, "capture until {}, bursts of {}, hand-off of {}, when full: {}\n", word(plan.config.until),
                 plan.burst, word(plan.config.handoff), word(plan.when_full));
  write_filter(out, plan);
  write_ports(out, plan);
  write_lcores(out, plan);
  write_idle(out, plan);
  write_drives(out, plan);
  write_memory(out, plan);
  write_options(out, plan.config);
  for (const auto& notice : plan.notices) fmt::format_to(out, "notice: {}\n", notice);
  return text;
}

}  // namespace wirespool::plan
