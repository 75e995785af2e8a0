// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "doctor/doctor.hpp"

namespace wirespool::doctor {
namespace {

constexpr const char* topic = "hugepages";

// Says where to run the command: a container sees the host's pages but cannot change them.
std::string on_host(const machine::Facts& facts, const std::string& command) {
  return facts.platform.container.empty() ? command : "on the host: " + command;
}

std::string describe_page(std::uint64_t bytes) {
  return bytes >> 30 != 0 ? fmt::format("{} GiB", bytes >> 30) : fmt::format("{} MiB", bytes >> 20);
}

void judge_amount(const machine::Facts& facts, std::vector<Finding>& findings) {
  std::uint64_t bytes = 0, free = 0;
  std::string list;
  for (const auto& pool : facts.memory.pools) {
    bytes += pool.pages * pool.page_bytes;
    free += pool.free_pages * pool.page_bytes;
    if (pool.pages == 0) continue;
    list += fmt::format("{}node {}: {} of {} pages of {} free", list.empty() ? "" : ", ", pool.numa_node,
                        pool.free_pages, pool.pages, describe_page(pool.page_bytes));
  }
  const auto give = on_host(facts, "echo 1024 > /proc/sys/vm/nr_hugepages");
  if (bytes == 0) {
    findings.push_back({Level::must_fix, topic, "", "none reserved: DPDK does not start without them", give});
  } else if (free == 0) {
    unsigned left = 0;
    for (const auto& mount : facts.memory.mounts) left += mount.left_files;
    const auto hint = left == 0 ? ""
                                : fmt::format(
                                      "; {} map files lie in their mounts, left by a program that died if "
                                      "none is running",
                                      left);
    findings.push_back({Level::must_fix, topic, "", fmt::format("all {} are taken{}", describe_bytes(bytes), hint),
                        left == 0 ? give : "rm /dev/hugepages/rtemap_*   # when no DPDK program runs"});
  } else {
    findings.push_back({Level::ok, topic, "", list, ""});
  }
}

// A port's mbufs and Blocks belong on the port's own node.
void judge_nodes(const machine::Facts& facts, std::vector<Finding>& findings) {
  std::map<int, std::uint64_t> pages;
  for (const auto& pool : facts.memory.pools) pages[pool.numa_node] += pool.pages;
  std::vector<int> told;
  for (const auto* port : ready_ports(facts)) {
    const int node = port->numa_node;
    if (node < 0 || pages[node] != 0 || pages.size() < 2 || std::ranges::find(told, node) != told.end()) continue;
    told.push_back(node);
    findings.push_back(
        {Level::advice, topic, fmt::format("node {}", node),
         fmt::format("none on the node of port {}: its packets would cross to another one", port->address),
         fmt::format("echo 1024 > /sys/devices/system/node/node{}/hugepages/hugepages-2048kB/"
                     "nr_hugepages",
                     node)});
  }
}

void judge_mount(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& memory = facts.memory;
  for (const auto& pool : memory.pools) {
    if (pool.pages == 0) continue;
    const auto fits = [&](const machine::HugepageMount& mount) { return mount.page_bytes == pool.page_bytes; };
    const auto found = std::ranges::find_if(memory.mounts, fits);
    if (found != memory.mounts.end()) {
      findings.push_back({Level::ok, "hugetlbfs", found->path, describe_page(pool.page_bytes) + " pages", ""});
      return;
    }
  }
  if (std::ranges::all_of(memory.pools, [](const auto& pool) { return pool.pages == 0; })) return;
  // EAL skips a page size it finds no mount of, unless it runs with --in-memory (DPDK Linux guide, "Hugepages").
  findings.push_back({Level::must_fix, "hugetlbfs", "",
                      "hugepages are there, but no hugetlbfs of their size is mounted",
                      "mkdir -p /dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages   # or EAL's --in-memory"});
}

}  // namespace

void judge_memory(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& memory = facts.memory;
  judge_amount(facts, findings);
  judge_nodes(facts, findings);
  judge_mount(facts, findings);
  if (memory.hugepage_limit) {
    const bool none = *memory.hugepage_limit == 0;
    findings.push_back(
        {none ? Level::must_fix : Level::ok, "hugepage limit", "",
         fmt::format("this control group may have {}", describe_bytes(*memory.hugepage_limit)),
         none ? "Kubernetes: resources.limits.hugepages-2Mi: 2Gi; podman, docker: no --hugetlb limit of 0" : ""});
  }
  const bool several_nodes = std::ranges::any_of(memory.pools, [](const auto& pool) { return pool.numa_node > 0; });
  if (memory.numa_balancing && several_nodes) {
    findings.push_back({Level::advice, "NUMA balancing", "", "the kernel may move pages of a capture between nodes",
                        "echo 0 > /proc/sys/kernel/numa_balancing"});
  }
}

}  // namespace wirespool::doctor
