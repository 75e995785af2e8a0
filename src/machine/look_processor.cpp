// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "machine/facts.hpp"

namespace wirespool::machine {
namespace {

const std::string cpus_directory = "sys/devices/system/cpu/";

std::set<unsigned> cpu_set(const std::optional<std::string>& list) {
  const auto cpus = parse_cpu_list(list.value_or(""));
  return {cpus.begin(), cpus.end()};
}

// "Cpus_allowed_list:\t0-1" -> "0-1" (proc_pid_status(5))
std::optional<std::string> status_field(const MachineTree& tree, const std::string& key) {
  std::istringstream lines(tree.text("proc/self/status").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + ":")) return line.substr(line.find_first_not_of(" \t", key.size() + 1));
  }
  return std::nullopt;
}

int node_of(const MachineTree& tree, const std::string& directory) {
  for (const auto& name : tree.names(directory)) {
    if (name.starts_with("node")) return std::atoi(name.c_str() + 4);
  }
  return 0;
}

CpuFacts look_at_cpu(const MachineTree& tree, unsigned id) {
  const auto directory = cpus_directory + "cpu" + std::to_string(id) + "/";
  CpuFacts cpu;
  cpu.id = id;
  cpu.numa_node = node_of(tree, directory);
  cpu.governor = tree.line(directory + "cpufreq/scaling_governor").value_or("");
  cpu.siblings = parse_cpu_list(tree.line(directory + "topology/thread_siblings_list").value_or(std::to_string(id)));
  return cpu;
}

std::optional<IdleState> deepest_idle_of(const MachineTree& tree, unsigned cpu) {
  const auto directory = cpus_directory + "cpu" + std::to_string(cpu) + "/cpuidle/";
  std::optional<IdleState> deepest;
  for (const auto& state : tree.names(directory)) {
    const auto file = directory + state + "/";
    if (tree.number(file + "disable").value_or(0) != 0) continue;
    const auto latency = static_cast<unsigned>(tree.number(file + "latency").value_or(0));
    if (!deepest || latency > deepest->latency_us) deepest = {tree.line(file + "name").value_or(state), latency};
  }
  return deepest;
}

bool has_flags(const std::string& cpuinfo, std::initializer_list<const char*> flags) {
  const auto at = cpuinfo.find("\nflags");
  if (at == std::string::npos) return false;
  const auto line = cpuinfo.substr(at, cpuinfo.find('\n', at + 1) - at) + " ";
  return std::all_of(flags.begin(), flags.end(),
                     [&](const char* flag) { return line.find(std::string(" ") + flag + " ") != std::string::npos; });
}

// The first line of /proc/stat: user nice system idle iowait irq softirq steal (proc_stat(5))
std::optional<double> look_at_steal(const MachineTree& tree) {
  std::istringstream words(tree.line("proc/stat").value_or(""));
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  if (!(words >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal)) return std::nullopt;
  const auto busy = user + nice + system + irq + softirq + steal;
  return busy > 0 ? steal / busy : 0;
}

}  // namespace

ProcessorFacts look_at_processor(const MachineTree& tree) {
  ProcessorFacts processor;
  const auto isolated = cpu_set(tree.line(cpus_directory + "isolated"));
  const auto tickless = cpu_set(tree.line(cpus_directory + "nohz_full"));
  const auto allowed = status_field(tree, "Cpus_allowed_list");
  const auto allowed_set = cpu_set(allowed);
  for (const auto id : parse_cpu_list(tree.line(cpus_directory + "online").value_or(""))) {
    auto cpu = look_at_cpu(tree, id);
    cpu.isolated = isolated.contains(id);
    cpu.tickless = tickless.contains(id);
    cpu.allowed = !allowed || allowed_set.contains(id);
    const auto idle = deepest_idle_of(tree, id);
    if (idle && (!processor.deepest_idle || idle->latency_us > processor.deepest_idle->latency_us)) {
      processor.deepest_idle = idle;
    }
    processor.cpus.push_back(std::move(cpu));
  }
  processor.steady_tsc = has_flags(tree.text("proc/cpuinfo").value_or(""), {"constant_tsc", "nonstop_tsc"});
  processor.clock_source = tree.line("sys/devices/system/clocksource/clocksource0/current_clocksource").value_or("");
  processor.stolen = look_at_steal(tree);
  return processor;
}

}  // namespace wirespool::machine
