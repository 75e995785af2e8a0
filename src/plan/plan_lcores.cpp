// SPDX-License-Identifier: BSD-3-Clause
#include "plan/plan_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "options/values.hpp"
#include "plan/route.hpp"

namespace wirespool::plan {
namespace {

// What has to be shared out, and to whom.
struct Demand {
  std::vector<RxQueueRef> queues;  // first queues of all ports, then second ones, ...
  std::vector<int> queue_nodes;
  std::vector<int> drive_nodes;    // --until handoff or block: as many as there are outputs
  std::vector<MachineLcore> free;  // all but the main lcore, by id
  bool wants_writers = true;
};

struct Counts {
  std::size_t rx = 0;
  std::size_t writers = 0;
};

void add_queues(const CapturePlan& plan, Demand& demand) {
  const auto most = std::ranges::max(plan.ports, {}, &PlannedPort::rx_queues).rx_queues;
  for (unsigned queue = 0; queue < most; ++queue) {
    for (const auto& port : plan.ports) {
      if (queue >= port.rx_queues) continue;
      demand.queues.push_back({port.id, queue});
      demand.queue_nodes.push_back(port.numa_node);
    }
  }
}

Demand demand_of(const CaptureConfig& config, const Machine& machine, const CapturePlan& plan) {
  Demand demand;
  // With --handoff blocks the RX lcores build Blocks themselves.
  demand.wants_writers = has_writers(route_of(config));
  add_queues(plan, demand);
  for (const auto& drive : plan.drives) demand.drive_nodes.push_back(drive.numa_node);
  if (demand.drive_nodes.empty()) demand.drive_nodes.assign(std::max<std::size_t>(1, config.outputs.size()), -1);
  for (const auto& lcore : machine.lcores) {
    if (lcore.id != machine.main_lcore) demand.free.push_back(lcore);
  }
  std::ranges::sort(demand.free, {}, &MachineLcore::id);
  return demand;
}

// The fewest lcores with which none polls more queues than with `lcores` of them.
std::size_t fewest_as_good(std::size_t queues, std::size_t lcores) {
  const auto each = (queues + lcores - 1) / lcores;
  return (queues + each - 1) / each;
}

std::size_t most_rx(std::size_t queues, std::size_t lcores) {
  return lcores == 0 ? 0 : fewest_as_good(queues, std::min(queues, lcores));
}

std::size_t minus(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

// Half of the lcores receive, the others write, at most one writer a drive; any that are left receive too, if that
// helps.
Counts count(const CaptureConfig& config, const Demand& demand) {
  const auto lcores = demand.free.size(), queues = demand.queues.size(), drives = demand.drive_nodes.size();
  Counts counts{config.rx_lcores.size(), config.writer_lcores.size()};
  if (!demand.wants_writers) {
    if (counts.rx == 0) counts.rx = most_rx(queues, lcores);
    return counts;
  }
  const bool rx_given = counts.rx > 0, writers_given = counts.writers > 0;
  if (!rx_given && !writers_given) counts.rx = most_rx(queues, std::max<std::size_t>(1, lcores / 2));
  if (!writers_given) counts.writers = std::min(minus(lcores, counts.rx), drives);
  if (!rx_given) counts.rx = std::max(counts.rx, most_rx(queues, minus(lcores, counts.writers)));
  return counts;
}

bool enough(const Demand& demand, const Counts& counts, Findings& findings) {
  const auto rx = std::max<std::size_t>(1, counts.rx);
  const auto writers = demand.wants_writers ? std::max<std::size_t>(1, counts.writers) : 0;
  const auto needed = 1 + rx + writers, have = 1 + demand.free.size();
  if (needed <= have) return true;
  std::string shared = "0@0,1@0";
  for (std::size_t lcore = 2; lcore < needed; ++lcore) shared += fmt::format(",{}@{}", lcore, lcore - 1);
  findings.problems.push_back(
      {"lcores",
       fmt::format("needs {}: 1 main, {} RX for {} queue{}{}; EAL has {}", needed, rx, demand.queues.size(),
                   demand.queues.size() == 1 ? "" : "s",
                   writers > 0 ? fmt::format(", {} writer{}", writers, writers == 1 ? "" : "s") : "", have),
       fmt::format("give EAL -l 0-{}, or --lcores {} as the main lcore only sleeps and may share a CPU", needed - 1,
                   shared)});
  return false;
}

// Takes an lcore for `node` out of `free`: one on that node, or with `any` one on any node; lowest id first.
std::optional<MachineLcore> take(std::vector<MachineLcore>& free, int node, bool any) {
  auto found = std::ranges::find_if(free, [&](const auto& lcore) { return node >= 0 && lcore.numa_node == node; });
  if (found == free.end() && any) found = free.begin();
  if (found == free.end()) return std::nullopt;
  const auto lcore = *found;
  free.erase(found);
  return lcore;
}

// One lcore for each of `nodes`: first those that can be on their own node, then the others.
std::vector<MachineLcore> pick(std::vector<MachineLcore>& free, const std::vector<int>& nodes) {
  std::vector<std::optional<MachineLcore>> slots(nodes.size());
  for (const bool any : {false, true}) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!slots[i]) slots[i] = take(free, nodes[i], any);
    }
  }
  std::vector<MachineLcore> picked;
  for (const auto& slot : slots) picked.push_back(*slot);
  std::ranges::sort(picked, {}, &MachineLcore::id);
  return picked;
}

// The lcores a list names; what is wrong with the list goes to `findings`.
std::vector<MachineLcore> named(std::string_view option, const std::vector<unsigned>& list, const Machine& machine,
                                std::vector<MachineLcore>& free, Findings& findings) {
  std::vector<MachineLcore> result;
  for (const unsigned id : list) {
    const auto found = std::ranges::find(free, id, &MachineLcore::id);
    if (found != free.end()) {
      result.push_back(*found);
      free.erase(found);
    } else if (id == machine.main_lcore) {
      findings.problems.push_back({std::string(option),
                                   fmt::format("lcore {} is EAL's main lcore, which only reports", id),
                                   "name another one, or give EAL another --main-lcore"});
    } else {
      findings.problems.push_back({std::string(option), fmt::format("EAL has no lcore {}", id),
                                   fmt::format("add it to EAL's -l or --lcores, or use one of those")});
    }
  }
  return result;
}

std::vector<int> nodes_of(const std::vector<MachineLcore>& lcores) {
  std::vector<int> nodes;
  for (const auto& lcore : lcores) nodes.push_back(lcore.numa_node);
  return nodes;
}

std::vector<int> rx_nodes(const Demand& demand, std::size_t count) {
  std::vector<int> nodes;
  for (std::size_t i = 0; i < count; ++i) nodes.push_back(demand.queue_nodes[i % demand.queue_nodes.size()]);
  return nodes;
}

// A writer's node is that of its drives or, if not known, where its packets come from.
std::vector<int> writer_nodes(const Demand& demand, std::size_t count) {
  const auto drives = demand.drive_nodes.size();
  std::vector<int> nodes;
  for (std::size_t i = 0; i < count; ++i) {
    const int node = demand.drive_nodes[count <= drives ? i * drives / count : i % drives];
    nodes.push_back(node >= 0 ? node : demand.queue_nodes[i % demand.queue_nodes.size()]);
  }
  return nodes;
}

void set_rx_lcores(const Demand& demand, const std::vector<MachineLcore>& lcores, CapturePlan& plan) {
  const auto shares = spread(demand.queue_nodes, nodes_of(lcores));
  for (std::size_t i = 0; i < lcores.size(); ++i) {
    PlannedRxLcore rx{lcores[i].id, lcores[i].numa_node, {}};
    for (const auto queue : shares[i]) rx.queues.push_back(demand.queues[queue]);
    plan.rx_lcores.push_back(std::move(rx));
  }
}

// A drive belongs to one writer; if there are more writers than drives, every writer writes to all.
void set_writers(const std::vector<MachineLcore>& lcores, CapturePlan& plan) {
  std::vector<int> drive_nodes;
  for (const auto& drive : plan.drives) drive_nodes.push_back(drive.numa_node);
  const bool own = lcores.size() <= plan.drives.size();
  const auto shares = spread(own ? drive_nodes : std::vector<int>{}, nodes_of(lcores));
  for (std::size_t i = 0; i < lcores.size(); ++i) {
    PlannedWriter writer{lcores[i].id, lcores[i].numa_node, static_cast<unsigned>(i), {}, 0};
    for (unsigned drive = 0; drive < plan.drives.size(); ++drive) {
      if (!own || std::ranges::find(shares[i], drive) != shares[i].end()) writer.drives.push_back(drive);
    }
    plan.writers.push_back(std::move(writer));
  }
}

void note_left_over(const std::vector<MachineLcore>& free, Findings& findings) {
  std::vector<unsigned> ids;
  for (const auto& lcore : free) ids.push_back(lcore.id);
  if (ids.empty()) return;
  findings.notices.push_back(fmt::format("lcore {} is left over and sleeps: more --rx-queues or drives would use it",
                                         options::format_number_list(ids)));
}

// Two polling lcores bound to the same single CPU take turns of milliseconds there.
void note_shared_cpus(const std::vector<MachineLcore>& polling, Findings& findings) {
  std::map<unsigned, std::vector<unsigned>> lcores_of_cpu;
  for (const auto& lcore : polling) {
    if (lcore.cpus.size() == 1) lcores_of_cpu[lcore.cpus.front()].push_back(lcore.id);
  }
  for (const auto& [cpu, lcores] : lcores_of_cpu) {
    if (lcores.size() < 2) continue;
    findings.notices.push_back(fmt::format("lcores {} poll on the same CPU {}: each stalls while another runs",
                                           options::format_number_list(lcores), cpu));
  }
}

void note_far_ports(const CapturePlan& plan, Findings& findings) {
  for (const auto& rx : plan.rx_lcores) {
    for (const auto& port : plan.ports) {
      const bool polls = std::ranges::find(rx.queues, port.id, &RxQueueRef::port) != rx.queues.end();
      if (!polls || port.numa_node < 0 || rx.numa_node < 0 || port.numa_node == rx.numa_node) continue;
      findings.notices.push_back(
          fmt::format("lcore {} on node {} polls port {} on node {}: packets cross between sockets", rx.lcore,
                      rx.numa_node, port.id, port.numa_node));
    }
  }
}

}  // namespace

void plan_lcores(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings) {
  auto demand = demand_of(config, machine, plan);
  const auto counts = count(config, demand);
  const auto problems_before = findings.problems.size();
  if (config.rx_lcores.size() > demand.queues.size()) {
    findings.problems.push_back({"--rx-lcores",
                                 fmt::format("{} lcores for {} RX queue(s): some would poll nothing",
                                             config.rx_lcores.size(), demand.queues.size()),
                                 "list fewer, or raise --rx-queues"});
  }
  auto free = demand.free;
  auto rx = named("--rx-lcores", config.rx_lcores, machine, free, findings);
  auto writers = named("--writer-lcores", config.writer_lcores, machine, free, findings);
  if (findings.problems.size() > problems_before || !enough(demand, counts, findings)) return;
  if (rx.empty()) rx = pick(free, rx_nodes(demand, counts.rx));
  if (writers.empty() && demand.wants_writers) writers = pick(free, writer_nodes(demand, counts.writers));
  set_rx_lcores(demand, rx, plan);
  if (demand.wants_writers) set_writers(writers, plan);
  note_left_over(free, findings);
  rx.insert(rx.end(), writers.begin(), writers.end());
  note_shared_cpus(rx, findings);
  note_far_ports(plan, findings);
}

}  // namespace wirespool::plan
