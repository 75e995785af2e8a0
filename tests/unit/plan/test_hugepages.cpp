// SPDX-License-Identifier: BSD-3-Clause
#include <filesystem>
#include <fstream>

#include "plan/hugepages.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;
using Catch::Contains;

namespace {

constexpr std::uint64_t mib = 1 << 20;

HugepagePool pages_of_2m(std::uint64_t total, std::uint64_t free, int node = 0) { return {node, 2 * mib, total, free}; }
HugepagePool pages_of_1g(std::uint64_t total, std::uint64_t free, int node = 0) {
  return {node, 1024 * mib, total, free};
}

void write_pool(const std::filesystem::path& directory, std::uint64_t total, std::uint64_t free) {
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "nr_hugepages") << total << '\n';
  std::ofstream(directory / "free_hugepages") << free << '\n';
}

// 48 MiB or so in hugepages, all on node 0.
CapturePlan a_plan() {
  const auto machine = a_machine(3, 1, 1);
  return must_plan(a_config(machine), machine);
}

}  // namespace

TEST_CASE("pages are counted a node and a size") {
  const TempDir root;
  const auto nodes = root / "sys/devices/system/node";
  write_pool(nodes / "node0/hugepages/hugepages-2048kB", 1024, 1000);
  write_pool(nodes / "node0/hugepages/hugepages-1048576kB", 0, 0);
  write_pool(nodes / "node1/hugepages/hugepages-2048kB", 10, 4);
  std::filesystem::create_directories(nodes / "power");
  const auto pools = read_hugepages(root.str());
  REQUIRE(pools.size() == 3);
  CHECK(pools[0].free == 1000);
  CHECK(pools[1].page_bytes == 1024 * mib);
  CHECK(pools[2].numa_node == 1);
  CHECK(pools[2].total == 10);
}

TEST_CASE("a machine without nodes has its pages counted all the same") {
  const TempDir root;
  write_pool(root / "sys/kernel/mm/hugepages/hugepages-2048kB", 8, 8);
  const auto pools = read_hugepages(root.str());
  REQUIRE(pools.size() == 1);
  CHECK(pools[0].numa_node == -1);
}

TEST_CASE("a machine without hugepages has none") {
  const TempDir root;
  CHECK(read_hugepages(root.str()).empty());
}

TEST_CASE("whole pages, with room for DPDK's own") {
  CHECK(pages_needed(0, 2 * mib) == 8);
  CHECK(pages_needed(64 * mib, 2 * mib) == 32 + 2 + 8);
  CHECK(pages_needed(64 * mib + 1, 2 * mib) == 43);
  CHECK(pages_needed(64 * mib, 1024 * mib) == 1);
}

TEST_CASE("the bytes of all nodes are the plan's") {
  auto machine = a_machine(6, 2, 2);
  machine.ports[1].numa_node = -1;
  machine.lcores[5].numa_node = 1;
  const auto plan = must_plan(a_config(machine), machine);
  std::uint64_t sum = 0;
  for (const auto& need : hugepage_bytes_by_node(plan)) sum += need.bytes;
  CHECK(sum == plan.hugepage_bytes());
}

TEST_CASE("no free page at all is said before EAL fails over it") {
  const auto problem = check_any_hugepages({}, {pages_of_2m(0, 0), pages_of_1g(0, 0)});
  REQUIRE(problem);
  CHECK(problem->what == "hugepages");
  CHECK_THAT(problem->what_to_do,
             Contains("echo 512 > /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"));
  CHECK(problem->kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("pages that others use are added to what is asked for") {
  CHECK_THAT(check_any_hugepages({}, {pages_of_2m(100, 0)})->what_to_do, Contains("echo 612 >"));
}

TEST_CASE("a free page, or --no-huge, and there is nothing to say yet") {
  CHECK_FALSE(check_any_hugepages({}, {pages_of_2m(100, 1)}));
  CHECK_FALSE(check_any_hugepages({"--no-huge"}, {}));
}

TEST_CASE("a kernel without hugepages is told from one with none set aside") {
  CHECK(check_any_hugepages({}, {})->why == "this kernel has none");
}

TEST_CASE("a plan that fits has no problem") {
  CHECK(check_memory(a_plan(), {}, {pages_of_2m(1024, 1024)}).empty());
  CHECK(check_memory(a_plan(), {}, {pages_of_1g(1, 1)}).empty());
  CHECK(check_memory(a_plan(), {}, {pages_of_2m(10, 10), pages_of_1g(1, 1)}).empty());
}

TEST_CASE("a plan that does not fit says how many pages it needs and how to get them") {
  const auto plan = a_plan();
  const auto problems = check_memory(plan, {}, {pages_of_2m(20, 8)});
  REQUIRE(problems.size() == 1);
  const auto pages = pages_needed(plan.hugepage_bytes(), 2 * mib);
  CHECK_THAT(problems[0].why, Contains(std::to_string(pages) + " pages of 2MiB on node 0, and 8 are free"));
  CHECK_THAT(problems[0].what_to_do,
             Contains("echo " + std::to_string(pages + 12) + " > /sys/devices/system/node/node0"));
  CHECK(problems[0].kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("pages on the wrong node do not help") {
  CHECK(check_memory(a_plan(), {}, {pages_of_2m(8, 8, 0), pages_of_2m(1024, 1024, 1)}).size() == 1);
}

TEST_CASE("memory of no node may come from any") {
  auto machine = a_machine(3, 1, 1);
  machine.ports[0].numa_node = -1;
  for (auto& lcore : machine.lcores) lcore.numa_node = -1;
  const auto plan = must_plan(a_config(machine), machine);
  CHECK(check_memory(plan, {}, {pages_of_2m(8, 8, 0), pages_of_2m(1024, 1024, 1)}).empty());
  CHECK(check_memory(plan, {}, {pages_of_2m(8, 8, 0), pages_of_2m(8, 8, 1)}).size() == 1);
}

TEST_CASE("without hugepages, -m has to be enough") {
  CHECK(check_memory(a_plan(), {"--no-huge", "-m", "1024"}, {}).empty());
  CHECK_THAT(problems_of(check_memory(a_plan(), {"--no-huge", "-m", "32"}, {})), Contains("32 MB is less than"));
}
