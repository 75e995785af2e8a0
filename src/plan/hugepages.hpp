// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"
#include "plan/eal_args.hpp"

namespace wirespool::plan {

// The pages of one size on one NUMA node.
struct HugepagePool {
  int numa_node = -1;  // -1: the machine has no nodes
  std::uint64_t page_bytes = 0;
  std::uint64_t total = 0, free = 0;
};

// As Linux shows them under /sys; `root` is "/" except in tests. Sizes with no pages are in it too, with total 0.
std::vector<HugepagePool> read_hugepages(const std::string& root = "/");

// Hugepage bytes the plan takes of a node; those of ports and lcores without a node are under -1.
struct NodeBytes {
  int numa_node = -1;
  std::uint64_t bytes = 0;
};
std::vector<NodeBytes> hugepage_bytes_by_node(const CapturePlan& plan);

// Whole pages for `bytes`, with room for what DPDK and its drivers take for themselves.
std::uint64_t pages_needed(std::uint64_t bytes, std::uint64_t page_bytes);

// For use before EAL starts, which fails without any free hugepage. nullopt with --no-huge.
std::optional<Error> check_any_hugepages(const EalArgs& args, const std::vector<HugepagePool>& pools);

// Does the plan fit? `pools` as they were before EAL took pages. Says how many pages are needed and how to get them.
std::vector<Error> check_memory(const CapturePlan& plan, const EalArgs& args, const std::vector<HugepagePool>& pools);

}  // namespace wirespool::plan
