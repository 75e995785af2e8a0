// SPDX-License-Identifier: BSD-3-Clause
#include "flow/flow_table.hpp"
#include "format/bytes.hpp"
#include "format/index.hpp"
#include "plan/plan_steps.hpp"
#include "policy/writer_shape.hpp"
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool;
using namespace wirespool::plan;
using namespace wirespool::test;

TEST_CASE("a pool holds what descriptors, handoffs, caches and bursts can hold, and no more") {
  const auto machine = a_machine(3, 1, 1);
  const auto plan = must_plan(a_config(machine), machine);
  CHECK(plan.handoff_size == 8192);
  CHECK(plan.mempool_cache == 256);
  // 2048 descriptors, one Handoff of 8192, two lcores with 384 in their caches and two bursts of 64.
  CHECK(plan.ports[0].mbufs == 2048 + 8192 + 2 * (384 + 128));
}

TEST_CASE("a pool grows with queues, and with each handoff its packets can be in") {
  const auto machine = a_machine(6, 1, 2, 4);
  auto config = a_config(machine);
  config.rx_queues = 2;
  const auto plan = must_plan(config, machine);
  REQUIRE(plan.rx_lcores.size() == 2);
  REQUIRE(plan.writers.size() == 2);
  CHECK(plan.ports[0].mbufs >= 2 * 2048 + 4 * 8192 + 4 * (384 + 128));
  CHECK(plan.ports[0].mbufs % plan.mempool_cache == 0);
}

TEST_CASE("a pool without writers needs no room for handoffs") {
  const auto machine = a_machine(2, 1, 0);
  CaptureConfig config;
  config.until = Until::rx;
  const auto plan = must_plan(config, machine);
  CHECK(plan.handoff_size == 0);
  CHECK(plan.handoff_bytes == 0);
  CHECK(plan.ports[0].mbufs == 2560);
}

TEST_CASE("rings that Blocks cross are counted as memory") {
  const auto machine = a_machine(4, 1, 1);
  auto config = a_config(machine);
  config.handoff = HandoffKind::blocks;
  const auto plan = must_plan(config, machine);
  CHECK(plan.handoff_size == 0);
  std::uint64_t rings = 0;
  for (const auto& writer : plan.writers)
    rings += plan.rx_lcores.size() * wirespool::policy::block_rings_bytes(writer.blocks);
  CHECK(rings > 0);
  CHECK(plan.handoff_bytes == rings);
}

TEST_CASE("a large burst gets a handoff of two of them and a larger cache") {
  const auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.when_full = WhenFull::wait;
  CHECK(must_plan(config, machine).handoff_size == 1024);
  config.burst = 1024;
  CHECK(must_plan(config, machine).handoff_size == 2048);
  CHECK(must_plan(config, machine).mempool_cache == 512);
  config.handoff_size = 4096;
  CHECK(must_plan(config, machine).handoff_size == 4096);
}

TEST_CASE("--mbufs wins, with a notice when that may lose packets") {
  const auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.mbufs = 3000;
  auto plan = must_plan(config, machine);
  CHECK(plan.ports[0].mbufs == 3000);
  CHECK_THAT(notices_of(plan), Catch::Contains("lost as no_mbuf"));
  config.mbufs = 100'000;
  plan = must_plan(config, machine);
  CHECK(plan.ports[0].mbufs == 100'000);
  CHECK(notices_of(plan).empty());
}

TEST_CASE("fewer mbufs than descriptors cannot work on a NIC") {
  auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.mbufs = 512;
  CHECK_THAT(problems_of(config, machine), Catch::Contains("--mbufs: 512 cannot fill the 2048 descriptors"));
  machine.ports[0].file_fed = true;
  CHECK(must_plan(config, machine).ports[0].mbufs == 512);
}

TEST_CASE("few mbufs get a small cache, which DPDK requires") {
  auto machine = a_machine(3, 1, 1);
  machine.ports[0].file_fed = true;
  auto config = a_config(machine);
  config.mbufs = 64;
  const auto plan = must_plan(config, machine);
  CHECK(plan.mempool_cache * 3 / 2 <= 64);
}

TEST_CASE("a pool's bytes are its elements, its ring and its caches") {
  PlannedPort port;
  port.mbufs = 4095;
  port.data_room = 2176;
  // An element: 64 header + 128 mbuf + 2176 room = 2368 bytes, 37 cache lines, which is odd already.
  CHECK(pool_bytes(port) == 4095 * 2368 + 4096 * 8 + 128 * 8320);
  port.data_room = 2240;
  CHECK(pool_bytes(port) == 4095 * (39 * 64) + 4096 * 8 + 128 * 8320);
}

TEST_CASE("Blocks to disk: open ones, two rounds of writes, and 32 MiB at least") {
  const auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  auto plan = must_plan(config, machine);
  CHECK(plan.blocks == 32);
  CHECK(plan.block_bytes == 1 << 20);
  CHECK(plan.carry_bytes == format::carry_capacity);
  CHECK(plan.blocks_bytes == 32ull * ((1 << 20) + 69632));
  config.block_size = 4 << 20;
  plan = must_plan(config, machine);
  CHECK(plan.blocks == 1 + 2 * 8);
}

TEST_CASE("Blocks that stay in memory are few") {
  const auto machine = a_machine(3, 1, 0);
  CaptureConfig config;
  config.until = Until::block;
  const auto plan = must_plan(config, machine);
  CHECK(plan.blocks == 3);
  CHECK(plan.index_bytes == 0);
}

TEST_CASE("before the blocks stage there are none") {
  const auto machine = a_machine(3, 1, 0);
  CaptureConfig config;
  config.until = GENERATE(Until::rx, Until::handoff);
  const auto plan = must_plan(config, machine);
  CHECK(plan.blocks == 0);
  CHECK(plan.blocks_bytes == 0);
}

TEST_CASE("tables of flows are in hugepages, shared by the RX lcores, with a ring only for records") {
  const auto machine = a_machine(5, 4, 1);
  auto config = a_config(machine);
  config.rx_lcores = {1, 2, 3};
  config.flow_table = 3000;
  CHECK(must_plan(config, machine).flow_bytes == 0);
  const auto without = must_plan(config, machine).hugepage_bytes();
  config.cutoff = 4096;
  const auto tables = 3 * flow::FlowTable::bytes_needed(1000);
  CHECK(must_plan(config, machine).flow_bytes == tables);
  CHECK(must_plan(config, machine).hugepage_bytes() == without + tables);
  config.flows = "/flows";
  CHECK(must_plan(config, machine).flow_bytes == tables + 3 * flow::FlowRing::bytes_needed(1024));
}

TEST_CASE("--blocks below what the lanes need says how many they need") {
  const auto machine = a_machine(3, 1, 3);
  auto config = a_config(machine);
  config.blocks = 7;
  const auto plan = make_plan(config, machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error()[0].what == "--blocks");
  CHECK(plan.error()[0].what_to_do == "give 10 or more, or leave it out");
  config.blocks = 10;
  CHECK(must_plan(config, machine).blocks == 10);
}

TEST_CASE("--blocks is shared out without a rest") {
  const auto machine = a_machine(4, 1, 3);
  auto config = a_config(machine);
  config.writer_lcores = {2, 3};
  config.blocks = 27;
  const auto plan = must_plan(config, machine);
  REQUIRE(plan.writers.size() == 2);
  CHECK(plan.writers[0].blocks + plan.writers[1].blocks == 27);
  CHECK(plan.writers[1].blocks >= 6);
}

TEST_CASE("odd Block sizes are carved at 4096") {
  const auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.block_size = 4096 + 512;
  config.blocks = 30;
  CHECK(must_plan(config, machine).blocks_bytes == 30 * (8192 + 69632));
}

TEST_CASE("the index holds a row a Block for three files of each lane, re-homed packets included") {
  const auto machine = a_machine(3, 1, 2);
  auto config = a_config(machine);
  CHECK(must_plan(config, machine).index_bytes == 3 * (2 + 2) * 4098 * 32);
  config.index = IndexLevel::flow;
  CHECK(must_plan(config, machine).index_bytes == 3 * (2 + 2) * (4098 * 32 + (64 << 20)));
  config.index = IndexLevel::off;
  CHECK(must_plan(config, machine).index_bytes == 0);
}

TEST_CASE("the extremes of every option still add up") {
  auto machine = a_machine(128, 4, 16, 1024);
  auto config = a_config(machine);
  config.rx_queues = 1024;
  config.rx_desc = 4096;
  config.handoff_size = 1u << 18;
  config.burst = 1024;
  config.rotate_size = 16ull << 40;
  config.block_size = 4096;
  config.io_depth = 1024;
  const auto plan = must_plan(config, machine);
  const auto lcores = plan.rx_lcores.size() * plan.writers.size();
  CHECK(plan.ports[0].mbufs > (lcores << 18) / 4);
  CHECK(plan.total_bytes() > plan.index_bytes);
  CHECK(plan.index_bytes % (3 * format::max_open_index_entries * 32) == 0);
}
