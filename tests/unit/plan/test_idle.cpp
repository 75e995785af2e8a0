// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "policy/idle_pace.hpp"
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool;
using namespace wirespool::plan;
using namespace wirespool::test;
using Catch::Contains;

namespace {

constexpr unsigned ten_gigabits = 10'000;

Machine a_machine_at(unsigned mbits, unsigned ports = 1) {
  auto machine = a_machine(4, ports, 1);
  for (auto& port : machine.ports) port.speed_mbits = mbits;
  return machine;
}

CaptureConfig an_idle_config(const Machine& machine) {
  auto config = a_config(machine);
  config.idle = Idle::adaptive;
  return config;
}

}  // namespace

TEST_CASE("lcores poll unless they were asked to sleep") {
  const auto machine = a_machine_at(ten_gigabits);
  const auto plan = must_plan(a_config(machine), machine);
  CHECK(plan.rx_lcores[0].idle.longest_ns == 0);
  CHECK(plan.rx_lcores[0].waiting.longest_ns == 0);
  CHECK(plan.writers[0].idle.longest_ns == 0);
  CHECK_THAT(describe(plan), !Contains("with nothing to do"));
}

TEST_CASE("an RX lcore sleeps for half of what its descriptors last at line rate") {
  const auto machine = a_machine_at(ten_gigabits);
  auto config = an_idle_config(machine);
  config.rx_desc = 1024;
  const auto plan = must_plan(config, machine);
  CHECK(plan.rx_lcores[0].idle.longest_ns == 34'406);
  CHECK(plan.rx_lcores[0].idle.plenty == 128);
  CHECK_THAT(describe(plan), Contains("sleeps for 34.4 us at most") &&
                                 Contains("1024 packets of port 0 queue 0 last 68.8 us at 10 Gbit/s"));
  CHECK(nlohmann::json::parse(to_json(plan)).at("rx_lcores").at(0).at("longest_sleep_ns") == 34'406);
}

TEST_CASE("the port that is full first decides for all queues of an lcore") {
  auto machine = a_machine_at(ten_gigabits, 2);
  machine.ports[1].speed_mbits = 25'000;
  auto config = an_idle_config(machine);
  config.rx_lcores = {1};
  const auto plan = must_plan(config, machine);
  REQUIRE(plan.rx_lcores.size() == 1);
  CHECK(plan.rx_lcores[0].idle.longest_ns == policy::filled_after_ns(2048, 25'000) / 2);
}

TEST_CASE("a ring that is made with its device counts, and not the descriptors that are asked for") {
  auto machine = a_machine_at(ten_gigabits);
  machine.ports[0].own_ring = 512;
  CHECK(must_plan(an_idle_config(machine), machine).rx_lcores[0].idle.longest_ns ==
        policy::filled_after_ns(512, ten_gigabits) / 2);
}

TEST_CASE("an lcore polls a ring that is too short for its link, or whose link nobody knows") {
  const auto mbits = GENERATE(100'000u, 0u);
  const auto machine = a_machine_at(mbits);
  const auto plan = must_plan(an_idle_config(machine), machine);
  CHECK(plan.rx_lcores[0].idle.longest_ns == 0);
  CHECK_THAT(describe(plan), Contains("polls"));
}

TEST_CASE("who receives from a file sleeps as long as anybody, as nothing is lost meanwhile") {
  auto machine = a_machine_at(0);
  machine.ports[0].file_fed = true;
  const auto plan = must_plan(an_idle_config(machine), machine);
  CHECK(plan.rx_lcores[0].idle.longest_ns == policy::longest_idle_sleep_ns);
  CHECK(plan.rx_lcores[0].idle.plenty == 0);
}

TEST_CASE("a source that waits for room sleeps no longer than the drives are busy") {
  auto machine = a_machine_at(0);
  machine.ports[0].file_fed = true;
  auto config = an_idle_config(machine);
  const auto plan = must_plan(config, machine);
  CHECK(plan.rx_lcores[0].waiting.longest_ns == policy::filled_with_bytes_after_ns(8 << 20, 128'000) / 2);
  CHECK(plan.rx_lcores[0].waiting.quiet_ns > plan.rx_lcores[0].idle.quiet_ns);
  config.when_full = WhenFull::drop;
  CHECK(must_plan(config, machine).rx_lcores[0].waiting.longest_ns == 0);
  config.when_full = WhenFull::wait;
  config.until = Until::block;
  CHECK(must_plan(config, machine).rx_lcores[0].waiting.longest_ns == 0);
}

TEST_CASE("no sleep is longer than half of the holes that are looked for") {
  const auto machine = a_machine_at(1'000);
  auto config = an_idle_config(machine);
  config.hole_ns = 100'000;
  const auto plan = must_plan(config, machine);
  CHECK(plan.rx_lcores[0].idle.longest_ns == 50'000);
  CHECK_THAT(describe(plan), Contains("--hole 100us"));
}

TEST_CASE("a writer lcore sleeps for half of what a Handoff lasts at line rate") {
  const auto machine = a_machine_at(25'000);
  const auto plan = must_plan(an_idle_config(machine), machine);
  REQUIRE(plan.handoff_size == 8192);
  CHECK(plan.writers[0].idle.longest_ns == policy::filled_after_ns(8192, 25'000) / 2);
  CHECK(plan.writers[0].idle.plenty == 0);
}

TEST_CASE("two ports that one lcore polls fill a Handoff in half the time") {
  const auto machine = a_machine_at(ten_gigabits, 2);
  auto config = an_idle_config(machine);
  config.rx_lcores = {1};
  CHECK(must_plan(config, machine).writers[0].idle.longest_ns == policy::filled_after_ns(8192, 2 * ten_gigabits) / 2);
}

TEST_CASE("a pool that runs dry before a Handoff is full decides how long its writer lcore sleeps") {
  const auto machine = a_machine_at(25'000);
  auto config = an_idle_config(machine);
  config.mbufs = 2048 + 4096;
  CHECK(must_plan(config, machine).writers[0].idle.longest_ns == policy::filled_after_ns(4096, 25'000) / 2);
}

TEST_CASE("where Blocks cross, the empty ones that an RX lcore has decide") {
  const auto machine = a_machine_at(400'000);
  auto config = an_idle_config(machine);
  config.handoff = HandoffKind::blocks;
  config.io_depth = 64;
  const auto plan = must_plan(config, machine);
  const auto longest = plan.writers[0].idle.longest_ns;
  CHECK(longest >= policy::least_idle_sleep_ns);
  CHECK(longest <= policy::filled_with_bytes_after_ns(plan.blocks * plan.block_bytes, 400'000) / 2);
  CHECK_THAT(plan.writers[0].idle.because, Contains("at 400 Gbit/s"));
}

TEST_CASE("a drive whose writes are done sooner is looked at sooner") {
  const auto machine = a_machine_at(1'000);
  auto config = an_idle_config(machine);
  config.io_depth = 2;
  const auto plan = must_plan(config, machine);
  CHECK(plan.writers[0].idle.longest_ns == policy::filled_with_bytes_after_ns(2 << 20, 128'000) / 2);
  CHECK_THAT(plan.writers[0].idle.because, Contains("2 writes of 1MiB"));
}
