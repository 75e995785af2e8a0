// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "doctor/doctor.hpp"

namespace wirespool::doctor {
namespace {

using Cpus = std::vector<machine::CpuFacts>;

template <class Wanted>
std::vector<unsigned> ids(const Cpus& cpus, Wanted wanted) {
  std::vector<unsigned> list;
  for (const auto& cpu : cpus) {
    if (wanted(cpu)) list.push_back(cpu.id);
  }
  return list;
}

std::string ids_or_none(const std::vector<unsigned>& list) {
  return list.empty() ? "none" : machine::format_cpu_list(list);
}

// CPUs for polling lcores: all on the ports' nodes except the first core, which is left to the system.
std::vector<unsigned> polling_candidates(const machine::Facts& facts) {
  std::set<int> nodes;
  for (const auto* port : ready_ports(facts)) nodes.insert(port->numa_node);
  const auto& cpus = facts.processor.cpus;
  const auto& kept = cpus.front().siblings;
  return ids(cpus, [&](const machine::CpuFacts& cpu) {
    const bool near = nodes.empty() || nodes.contains(-1) || nodes.contains(cpu.numa_node);
    return near && cpu.allowed && std::ranges::find(kept, cpu.id) == kept.end() && cpu.id != cpus.front().id;
  });
}

void judge_count(const Cpus& cpus, std::vector<Finding>& findings) {
  const auto allowed = ids(cpus, [](const machine::CpuFacts& cpu) { return cpu.allowed; });
  const auto text = fmt::format("{} of {} may be used: {}", allowed.size(), cpus.size(), ids_or_none(allowed));
  if (allowed.size() >= 2) {
    findings.push_back({Level::ok, "lcores", "", text, ""});
    return;
  }
  findings.push_back({Level::advice, "lcores", "", text + "; a capture polls with two at least (RX and writer)",
                      "give the container or the guest more CPUs"});
}

void judge_isolation(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& cpus = facts.processor.cpus;
  const auto isolated = ids(cpus, [](const machine::CpuFacts& cpu) { return cpu.isolated && cpu.allowed; });
  const auto tickless = ids(cpus, [](const machine::CpuFacts& cpu) { return cpu.tickless && cpu.allowed; });
  if (!isolated.empty()) {
    findings.push_back({Level::ok, "isolated CPUs", "",
                        fmt::format("{}; without tick: {}", machine::format_cpu_list(isolated), ids_or_none(tickless)),
                        ""});
    return;
  }
  const auto list = polling_candidates(facts);
  if (list.empty()) return;
  findings.push_back({Level::advice, "isolated CPUs", "",
                      "none: other threads can take a polling lcore's CPU for milliseconds",
                      fmt::format("kernel command line: isolcpus=managed_irq,domain,{0} nohz_full={0} rcu_nocbs={0}",
                                  machine::format_cpu_list(list))});
}

void judge_governor(const Cpus& cpus, std::vector<Finding>& findings) {
  const auto slow =
      ids(cpus, [](const machine::CpuFacts& cpu) { return !cpu.governor.empty() && cpu.governor != "performance"; });
  const bool scaling = std::ranges::any_of(cpus, [](const machine::CpuFacts& cpu) { return !cpu.governor.empty(); });
  if (slow.empty()) {
    findings.push_back({Level::ok, "governor", "", scaling ? "performance" : "no frequency scaling to be seen", ""});
    return;
  }
  findings.push_back(
      {Level::advice, "governor", "", fmt::format("not 'performance' on CPU {}", machine::format_cpu_list(slow)),
       "for f in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo performance > $f; done"});
}

void judge_idle(const machine::ProcessorFacts& processor, std::vector<Finding>& findings) {
  if (!processor.deepest_idle) return;
  constexpr unsigned slow_us = 20;  // a slower wake-up delays interrupts, timers and drive completions noticeably
  const auto& state = *processor.deepest_idle;
  const auto text = fmt::format("deepest state {} wakes in {} us", state.name, state.latency_us);
  if (state.latency_us <= slow_us) {
    findings.push_back({Level::ok, "C-states", "", text, ""});
    return;
  }
  findings.push_back(
      {Level::advice, "C-states", "", text,
       fmt::format("cpupower idle-set -D {}   # or processor.max_cstate=1 on the kernel command line", slow_us)});
}

void judge_siblings(const Cpus& cpus, std::vector<Finding>& findings) {
  std::string pairs;
  std::vector<unsigned> first_threads;
  for (const auto& cpu : cpus) {
    if (!cpu.allowed || cpu.siblings.empty() || cpu.siblings.front() != cpu.id) continue;
    first_threads.push_back(cpu.id);
    if (cpu.siblings.size() > 1) pairs += fmt::format("{}({})", pairs.empty() ? "" : " ", fmt::join(cpu.siblings, " "));
  }
  if (pairs.empty()) {
    findings.push_back({Level::ok, "SMT", "", "no CPU shares its core with another one", ""});
    return;
  }
  findings.push_back({Level::advice, "SMT", "", "CPUs that share a core: " + pairs,
                      fmt::format("one polling lcore a core: EAL's -l out of {}, the others left idle",
                                  machine::format_cpu_list(first_threads))});
}

void judge_ticks(const machine::ProcessorFacts& processor, std::vector<Finding>& findings) {
  if (processor.steady_tsc) {
    findings.push_back(
        {Level::ok, "TSC", "", "runs at one rate; the kernel's clock source is " + processor.clock_source, ""});
    return;
  }
  findings.push_back({Level::advice, "TSC", "",
                      "not known to run at one rate (constant_tsc, nonstop_tsc): stamps may drift",
                      "a guest: -cpu host,+invtsc; or stamps of the network card: --timestamp hw"});
}

}  // namespace

void judge_processor(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& processor = facts.processor;
  if (processor.cpus.empty()) return;
  judge_count(processor.cpus, findings);
  judge_isolation(facts, findings);
  judge_governor(processor.cpus, findings);
  judge_idle(processor, findings);
  judge_siblings(processor.cpus, findings);
  judge_ticks(processor, findings);
  if (processor.stolen && *processor.stolen > 0.005) {
    findings.push_back(
        {Level::advice, "stolen time", "",
         fmt::format("the host gave {:.1f} % of this guest's busy time to others", *processor.stolen * 100),
         "on the host: pin the guest's vCPUs to CPUs of their own (virsh vcpupin)"});
  }
}

}  // namespace wirespool::doctor
