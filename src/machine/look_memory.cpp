// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "machine/facts.hpp"

namespace wirespool::machine {
namespace {

// "hugepages-2048kB" -> 2 MiB (Documentation/admin-guide/mm/hugetlbpage.rst)
std::uint64_t page_bytes_of(const std::string& name) {
  const auto dash = name.find('-');
  return dash == std::string::npos ? 0 : std::strtoull(name.c_str() + dash + 1, nullptr, 10) * 1024;
}

void add_pools(const MachineTree& tree, const std::string& directory, int node, std::vector<HugepagePool>& pools) {
  for (const auto& name : tree.names(directory)) {
    const auto file = directory + "/" + name + "/";
    const auto pages = tree.number(file + "nr_hugepages");
    if (!pages) continue;
    pools.push_back({node, page_bytes_of(name), *pages, tree.number(file + "free_hugepages").value_or(0)});
  }
}

std::vector<HugepagePool> look_at_pools(const MachineTree& tree) {
  std::vector<HugepagePool> pools;
  for (const auto& name : tree.names("sys/devices/system/node")) {
    if (!name.starts_with("node")) continue;
    add_pools(tree, "sys/devices/system/node/" + name + "/hugepages", std::atoi(name.c_str() + 4), pools);
  }
  // a kernel without NUMA has the whole machine's only
  if (pools.empty()) add_pools(tree, "sys/kernel/mm/hugepages", 0, pools);
  return pools;
}

std::uint64_t size_option(const std::string& options, std::uint64_t otherwise) {
  const auto at = options.find("pagesize=");
  if (at == std::string::npos) return otherwise;
  char* unit = nullptr;
  const auto number = std::strtoull(options.c_str() + at + 9, &unit, 10);
  return *unit == 'G' ? number << 30 : *unit == 'M' ? number << 20 : *unit == 'K' ? number << 10 : number;
}

std::vector<HugepageMount> look_at_mounts(const MachineTree& tree) {
  std::vector<HugepageMount> mounts;
  const auto default_bytes = std::uint64_t{2} << 20;
  std::istringstream lines(tree.text("proc/mounts").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string source, path, type, options;
    words >> source >> path >> type >> options;
    if (type != "hugetlbfs") continue;
    HugepageMount mount{path, size_option(options, default_bytes), 0};
    for (const auto& name : tree.names(path.substr(1))) mount.left_files += name.find("map_") != std::string::npos;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::uint64_t meminfo_bytes(const std::string& text, const std::string& key) {
  const auto at = text.find(key + ":");
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + key.size() + 1, nullptr, 10) * 1024;
}

std::optional<std::uint64_t> look_at_hugepage_limit(const MachineTree& tree) {
  // Version 2's "0::/path" line of /proc/self/cgroup; in a container with its own cgroup namespace the path is "/".
  const auto groups = tree.text("proc/self/cgroup").value_or("");
  const auto at = groups.find("0::/");
  const auto group = at == std::string::npos ? "" : groups.substr(at + 4, groups.find('\n', at) - at - 4);
  std::optional<std::uint64_t> limit;
  for (const auto& directory : {"sys/fs/cgroup/" + group, std::string("sys/fs/cgroup")}) {
    for (const auto& name : tree.names(directory)) {
      if (!name.starts_with("hugetlb.") || !name.ends_with("B.max")) continue;
      const auto bytes = tree.number(directory + "/" + name);  // "max" is no number: no limit
      if (bytes) limit = std::max(limit.value_or(0), *bytes);
    }
    if (limit) break;
  }
  return limit;
}

}  // namespace

MemoryFacts look_at_memory(const MachineTree& tree) {
  MemoryFacts memory;
  memory.pools = look_at_pools(tree);
  memory.mounts = look_at_mounts(tree);
  memory.hugepage_limit = look_at_hugepage_limit(tree);
  memory.numa_balancing = tree.number("proc/sys/kernel/numa_balancing").value_or(0) != 0;
  const auto meminfo = tree.text("proc/meminfo").value_or("");
  memory.total_bytes = meminfo_bytes(meminfo, "MemTotal");
  memory.available_bytes = meminfo_bytes(meminfo, "MemAvailable");
  return memory;
}

}  // namespace wirespool::machine
