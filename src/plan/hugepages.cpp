// SPDX-License-Identifier: BSD-3-Clause
#include "plan/hugepages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>

#include "options/values.hpp"
#include "plan/plan_steps.hpp"

namespace wirespool::plan {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t usual_page = 2 * mib;

std::uint64_t read_number(const fs::path& path) {
  std::uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

// The number in a name like "hugepages-2048kB" or "node1".
std::optional<std::uint64_t> number_after(std::string_view name, std::string_view prefix) {
  std::uint64_t number = 0;
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto read = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  return number;
}

// The pools under one .../hugepages directory.
void read_pools(const fs::path& directory, int numa_node, std::vector<HugepagePool>& pools) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    const auto kib = number_after(entry.path().filename().string(), "hugepages-");
    if (!kib) continue;
    pools.push_back({numa_node, *kib * 1024, read_number(entry.path() / "nr_hugepages"),
                     read_number(entry.path() / "free_hugepages")});
  }
}

std::string pool_path(const HugepagePool& pool) {
  const auto name = fmt::format("hugepages-{}kB/nr_hugepages", pool.page_bytes / 1024);
  if (pool.numa_node < 0) return "/sys/kernel/mm/hugepages/" + name;
  return fmt::format("/sys/devices/system/node/node{}/hugepages/{}", pool.numa_node, name);
}

// The command that leaves `pages` of this pool free.
std::string command(const HugepagePool& pool, std::uint64_t pages) {
  const auto used = pool.total - std::min(pool.free, pool.total);
  return fmt::format("echo {} > {}", used + pages, pool_path(pool));
}

bool on_node(const HugepagePool& pool, int numa_node) {
  return numa_node < 0 || pool.numa_node < 0 || pool.numa_node == numa_node;
}

std::uint64_t free_bytes(const std::vector<HugepagePool>& pools, int numa_node) {
  std::uint64_t bytes = 0;
  for (const auto& pool : pools) {
    if (on_node(pool, numa_node)) bytes += pool.free * pool.page_bytes;
  }
  return bytes;
}

// The pool to enlarge: one that has pages already, else the usual size.
std::optional<HugepagePool> pool_to_grow(const std::vector<HugepagePool>& pools, int numa_node) {
  std::optional<HugepagePool> best;
  for (const auto& pool : pools) {
    if (!on_node(pool, numa_node)) continue;
    const auto rank = [](const HugepagePool& p) { return std::pair(p.total > 0, p.page_bytes == usual_page); };
    if (!best || rank(pool) > rank(*best)) best = pool;
  }
  return best;
}

Error too_few_pages(const NodeBytes& need, const HugepagePool& pool) {
  const auto pages = pages_needed(need.bytes, pool.page_bytes);
  const auto where = pool.numa_node < 0 ? std::string() : fmt::format(" on node {}", pool.numa_node);
  return {"hugepages",
          fmt::format("the capture takes {}: {} pages of {}{}, and {} are free", options::format_size(need.bytes),
                      pages, options::format_size(pool.page_bytes), where, pool.free),
          fmt::format("{}, or fewer --mbufs, --blocks or a smaller --block-size", command(pool, pages)),
          Error::Kind::not_ready};
}

// --no-huge: all memory is what -m says, in MB.
std::vector<Error> check_ordinary_memory(const CapturePlan& plan, const EalArgs& args) {
  constexpr std::string_view name[] = {"-m"};
  const auto text = eal_option(args, name).value_or("64");
  std::uint64_t given = 0;
  std::from_chars(text.data(), text.data() + text.size(), given);
  const auto needed = pages_needed(plan.hugepage_bytes(), usual_page) * usual_page / mib;
  if (needed <= given) return {};
  return {{"EAL's -m", fmt::format("{} MB is less than the {} MB the capture takes", given, needed),
           fmt::format("give -m {} or more", needed), Error::Kind::not_ready}};
}

bool without_hugepages(const EalArgs& args) { return has_eal_option(args, "--no-huge"); }

}  // namespace

std::vector<HugepagePool> read_hugepages(const std::string& root) {
  std::vector<HugepagePool> pools;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(root) / "sys/devices/system/node", none)) {
    const auto node = number_after(entry.path().filename().string(), "node");
    if (node) read_pools(entry.path() / "hugepages", static_cast<int>(*node), pools);
  }
  if (pools.empty()) read_pools(fs::path(root) / "sys/kernel/mm/hugepages", -1, pools);
  std::ranges::sort(pools, {}, [](const auto& pool) { return std::pair(pool.numa_node, pool.page_bytes); });
  return pools;
}

std::vector<NodeBytes> hugepage_bytes_by_node(const CapturePlan& plan) {
  std::map<int, std::uint64_t> bytes;
  for (const auto& port : plan.ports) bytes[port.numa_node] += pool_bytes(port);
  const auto block = plan.blocks == 0 ? 0 : plan.blocks_bytes / plan.blocks;
  for (const auto& stream : plan.streams)
    bytes[plan.rx_lcores[stream.rx].numa_node] += plan.handoff_bytes / plan.streams.size() + stream.blocks * block;
  for (const auto& writer : plan.writers) bytes[writer.numa_node] += writer.blocks * block;
  std::vector<NodeBytes> result;
  for (const auto& [node, sum] : bytes) result.push_back({node, sum});
  return result;
}

std::uint64_t pages_needed(std::uint64_t bytes, std::uint64_t page_bytes) {
  // An mbuf may not cross a page, each rte_malloc heap element has a header, and drivers have their own rings.
  const std::uint64_t with_room = bytes + bytes / 16 + 16 * mib;
  return (with_room + page_bytes - 1) / page_bytes;
}

std::optional<Error> check_any_hugepages(const EalArgs& args, const std::vector<HugepagePool>& pools) {
  if (without_hugepages(args) || free_bytes(pools, -1) > 0) return std::nullopt;
  const auto pool = pool_to_grow(pools, -1);
  constexpr std::string_view otherwise = "or do without with EAL's --no-huge, slowly";
  if (!pool) return Error{"hugepages", "this kernel has none", std::string(otherwise), Error::Kind::not_ready};
  return Error{"hugepages", "none is free",
               fmt::format("{}, {}", command(*pool, 1024 * mib / std::min(pool->page_bytes, 1024 * mib)), otherwise),
               Error::Kind::not_ready};
}

std::vector<Error> check_memory(const CapturePlan& plan, const EalArgs& args, const std::vector<HugepagePool>& pools) {
  if (without_hugepages(args)) return check_ordinary_memory(plan, args);
  std::vector<Error> problems;
  const auto needs = hugepage_bytes_by_node(plan);
  std::uint64_t sum = 0;
  for (const auto& need : needs) sum += need.bytes;
  for (const auto& need : needs) {
    // What has no node goes wherever there is room: the sum of all is checked.
    const NodeBytes judged = need.numa_node < 0 ? NodeBytes{-1, sum} : need;
    const auto pool = pool_to_grow(pools, judged.numa_node);
    if (!pool) continue;
    if (pages_needed(judged.bytes, pool->page_bytes) * pool->page_bytes > free_bytes(pools, judged.numa_node)) {
      problems.push_back(too_few_pages(judged, *pool));
    }
  }
  return problems;
}

}  // namespace wirespool::plan
