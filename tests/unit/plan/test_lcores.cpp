// SPDX-License-Identifier: BSD-3-Clause
#include <random>
#include <set>

#include "plan/plan_steps.hpp"
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;
using Ids = std::vector<unsigned>;
using Shares = std::vector<std::vector<std::size_t>>;

namespace {

// Ten lcores, main and 1-4 on node 0, the others on node 1; a port and two drives on each node.
Machine two_sockets() {
  Machine machine;
  for (unsigned i = 0; i < 10; ++i) machine.lcores.push_back(an_lcore(i, i < 5 ? 0 : 1));
  machine.ports = {a_port(0, 16, 0), a_port(1, 16, 1)};
  machine.drives = {a_drive(0, 0), a_drive(1, 1), a_drive(2, 0), a_drive(3, 1)};
  return machine;
}

std::size_t queue_count(const CapturePlan& plan) {
  std::size_t count = 0;
  for (const auto& rx : plan.rx_lcores) count += rx.queues.size();
  return count;
}

Machine random_machine(std::mt19937_64& random) {
  const auto number = [&](unsigned least, unsigned most) {
    return least + static_cast<unsigned>(random() % (most - least + 1));
  };
  const auto node = [&] { return static_cast<int>(random() % 3) - 1; };
  Machine machine;
  for (unsigned i = number(0, 20), end = i + number(1, 12); i < end; ++i) machine.lcores.push_back(an_lcore(i, node()));
  machine.main_lcore = machine.lcores[random() % machine.lcores.size()].id;
  for (unsigned i = 0, end = number(1, 4); i < end; ++i) machine.ports.push_back(a_port(i, number(1, 8), node()));
  for (unsigned i = 0, end = number(1, 6); i < end; ++i) machine.drives.push_back(a_drive(i, node()));
  return machine;
}

void check_sound(const CapturePlan& plan, const Machine& machine) {
  std::set<unsigned> lcores{machine.main_lcore};
  for (const auto id : lcores_of(plan.rx_lcores)) REQUIRE(lcores.insert(id).second);
  for (const auto id : lcores_of(plan.writers)) REQUIRE(lcores.insert(id).second);
  std::set<std::pair<unsigned, unsigned>> queues;
  std::size_t least = ~0ull, most = 0, expected = 0;
  for (const auto& rx : plan.rx_lcores) {
    for (const auto& queue : rx.queues) REQUIRE(queues.insert({queue.port, queue.queue}).second);
    least = std::min(least, rx.queues.size());
    most = std::max(most, rx.queues.size());
  }
  for (const auto& port : plan.ports) expected += port.rx_queues;
  REQUIRE(queues.size() == expected);
  REQUIRE(least >= 1);
  REQUIRE(most - least <= 1);
  std::set<unsigned> drives;
  for (const auto& writer : plan.writers) {
    REQUIRE_FALSE(writer.drives.empty());
    for (const auto drive : writer.drives) {
      const bool first = drives.insert(drive).second;
      if (plan.writers.size() <= plan.drives.size()) REQUIRE(first);
    }
  }
  REQUIRE(drives.size() == plan.drives.size());
}

}  // namespace

TEST_CASE("one port, one queue, three lcores, one drive: one receives, one writes") {
  const auto machine = a_machine(3, 1, 1);
  const auto plan = must_plan(a_config(machine), machine);
  CHECK(plan.main_lcore == 0);
  REQUIRE(lcores_of(plan.rx_lcores) == Ids{1});
  CHECK(plan.rx_lcores[0].queues == std::vector<RxQueueRef>{{0, 0}});
  REQUIRE(lcores_of(plan.writers) == Ids{2});
  CHECK(plan.writers[0].drives == Ids{0});
  CHECK(notices_of(plan).empty());
}

TEST_CASE("two ports of four queues on two sockets stay on their sockets") {
  const auto machine = two_sockets();
  auto config = a_config(machine);
  config.rx_queues = 4;
  const auto plan = must_plan(config, machine);
  CHECK(lcores_of(plan.rx_lcores) == Ids{1, 2, 5, 6});
  CHECK(lcores_of(plan.writers) == Ids{3, 4, 7, 8});
  for (const auto& rx : plan.rx_lcores) {
    REQUIRE(rx.queues.size() == 2);
    for (const auto& queue : rx.queues) CHECK(plan.ports[queue.port].numa_node == rx.numa_node);
  }
  for (const auto& writer : plan.writers) {
    REQUIRE(writer.drives.size() == 1);
    CHECK(plan.drives[writer.drives[0]].numa_node == writer.numa_node);
  }
  CHECK_THAT(notices_of(plan), Catch::Contains("lcore 9 is left over"));
}

TEST_CASE("fewer writers than drives: each drive has one writer") {
  const auto machine = a_machine(3, 1, 4);
  const auto plan = must_plan(a_config(machine), machine);
  REQUIRE(plan.writers.size() == 1);
  CHECK(plan.writers[0].drives == Ids{0, 1, 2, 3});
}

TEST_CASE("more writers than drives: all writers share all drives") {
  const auto machine = a_machine(5, 1, 2);
  auto config = a_config(machine);
  config.writer_lcores = {2, 3, 4};
  const auto plan = must_plan(config, machine);
  REQUIRE(plan.writers.size() == 3);
  for (const auto& writer : plan.writers) CHECK(writer.drives == Ids{0, 1});
}

TEST_CASE("lcores beyond a writer a drive receive, if that makes any of them lighter") {
  const auto machine = a_machine(6, 1, 1);
  auto config = a_config(machine);
  config.rx_queues = 4;
  const auto plan = must_plan(config, machine);
  CHECK(lcores_of(plan.rx_lcores) == Ids{1, 2, 3, 4});
  CHECK(lcores_of(plan.writers) == Ids{5});
}

TEST_CASE("an lcore that would make none lighter sleeps") {
  const auto machine = a_machine(5, 1, 1);
  auto config = a_config(machine);
  config.rx_queues = 4;
  const auto plan = must_plan(config, machine);
  CHECK(lcores_of(plan.rx_lcores) == Ids{1, 2});
  CHECK(lcores_of(plan.writers) == Ids{3});
  CHECK_THAT(notices_of(plan), Catch::Contains("lcore 4 is left over"));
}

TEST_CASE("to measure receiving, all lcores receive") {
  const auto machine = a_machine(4, 1, 0);
  CaptureConfig config;
  config.until = Until::rx;
  config.rx_queues = 3;
  const auto plan = must_plan(config, machine);
  CHECK(lcores_of(plan.rx_lcores) == Ids{1, 2, 3});
  CHECK(plan.writers.empty());
}

TEST_CASE("to measure before the drives, there are as many writers as there would be with them") {
  const auto machine = a_machine(7, 1, 0);
  CaptureConfig config;
  config.until = GENERATE(Until::handoff, Until::block);
  config.outputs = {"/a", "/b", "/c"};
  const auto plan = must_plan(config, machine);
  CHECK(plan.writers.size() == 3);
  CHECK(plan.drives.empty());
  CHECK_THAT(notices_of(plan), Catch::Contains("nothing is written"));
}

TEST_CASE("too few lcores: how many, and why") {
  const auto machine = a_machine(2, 1, 1);
  const auto plan = make_plan(a_config(machine), machine);
  REQUIRE_FALSE(plan);
  REQUIRE(plan.error().size() == 1);
  CHECK(plan.error()[0].what == "lcores");
  CHECK(plan.error()[0].why == "needs 3: 1 main, 1 RX for 1 queue, 1 writer; EAL has 2");
  CHECK_THAT(plan.error()[0].what_to_do, Catch::Contains("-l 0-2") && Catch::Contains("0@0,1@0,2@1"));
}

TEST_CASE("explicit RX lcores that leave none to write are too many") {
  const auto machine = a_machine(4, 1, 1);
  auto config = a_config(machine);
  config.rx_queues = 3;
  config.rx_lcores = {1, 2, 3};
  CHECK_THAT(problems_of(config, machine), Catch::Contains("needs 5: 1 main, 3 RX for 3 queues, 1 writer; EAL has 4"));
}

TEST_CASE("one lcore alone cannot even receive") {
  const auto machine = a_machine(1, 1, 0);
  CaptureConfig config;
  config.until = Until::rx;
  CHECK_THAT(problems_of(config, machine), Catch::Contains("needs 2: 1 main, 1 RX for 1 queue; EAL has 1"));
}

TEST_CASE("explicit lists win, in their order") {
  const auto machine = a_machine(8, 1, 2);
  auto config = a_config(machine);
  config.rx_queues = 2;
  config.rx_lcores = {7, 3};
  config.writer_lcores = {5};
  const auto plan = must_plan(config, machine);
  CHECK(lcores_of(plan.rx_lcores) == Ids{7, 3});
  CHECK(lcores_of(plan.writers) == Ids{5});
  CHECK_THAT(notices_of(plan), Catch::Contains("lcore 1,2,4,6 is left over"));
}

TEST_CASE("one explicit list leaves the rest to the plan") {
  const auto machine = a_machine(5, 1, 2);
  auto config = a_config(machine);
  config.rx_queues = 2;
  SECTION("of writers") {
    config.writer_lcores = {1};
    const auto plan = must_plan(config, machine);
    CHECK(lcores_of(plan.rx_lcores) == Ids{2, 3});
  }
  SECTION("of receivers") {
    config.rx_lcores = {4};
    const auto plan = must_plan(config, machine);
    CHECK(lcores_of(plan.writers) == Ids{1, 2});
  }
}

TEST_CASE("lists name lcores that are there and free") {
  auto machine = a_machine(4, 1, 1);
  auto config = a_config(machine);
  SECTION("not the main lcore") {
    config.rx_lcores = {0};
    CHECK(problems_of(config, machine) == "--rx-lcores: lcore 0 is EAL's main lcore, which only reports\n");
  }
  SECTION("not an lcore EAL does not have") {
    config.writer_lcores = {9};
    CHECK(problems_of(config, machine) == "--writer-lcores: EAL has no lcore 9\n");
  }
  SECTION("not more than there are queues") {
    config.rx_lcores = {1, 2};
    CHECK(problems_of(config, machine) == "--rx-lcores: 2 lcores for 1 RX queue(s): some would poll nothing\n");
  }
}

TEST_CASE("an unknown NUMA node is fine everywhere") {
  auto machine = a_machine(4, 1, 2);
  for (auto& lcore : machine.lcores) lcore.numa_node = -1;
  machine.ports[0].numa_node = -1;
  for (auto& drive : machine.drives) drive.numa_node = -1;
  const auto plan = must_plan(a_config(machine), machine);
  CHECK(lcores_of(plan.rx_lcores) == Ids{1});
  CHECK(lcores_of(plan.writers) == Ids{2, 3});
  CHECK(notices_of(plan).empty());
}

TEST_CASE("a port on the other socket is polled all the same, with a notice") {
  auto machine = a_machine(3, 1, 1);
  machine.ports[0].numa_node = 1;
  const auto plan = must_plan(a_config(machine), machine);
  CHECK_THAT(notices_of(plan), Catch::Contains("lcore 1 on node 0 polls port 0 on node 1"));
}

TEST_CASE("two polling lcores on one CPU are noticed; main may share") {
  auto machine = a_machine(3, 1, 1);
  machine.lcores[1].cpus = {0};
  CHECK(notices_of(must_plan(a_config(machine), machine)).empty());
  machine.lcores[2].cpus = {0};
  CHECK_THAT(notices_of(must_plan(a_config(machine), machine)), Catch::Contains("lcores 1,2 poll on the same CPU 0"));
}

TEST_CASE("whatever the machine, a plan uses each lcore once, polls each queue once and fills each drive") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  int planned = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto machine = random_machine(random);
    auto config = a_config(machine);
    config.rx_queues = 1 + static_cast<unsigned>(random() % 8);
    const auto plan = make_plan(config, machine);
    if (machine.lcores.size() < 3) {
      REQUIRE_FALSE(plan);
      continue;
    }
    REQUIRE(plan);
    ++planned;
    check_sound(*plan, machine);
    REQUIRE(queue_count(*plan) >= plan->rx_lcores.size());
  }
  CHECK(planned > 0);
}

TEST_CASE("items are spread evenly first, by node second") {
  CHECK(spread(std::vector<int>{}, std::vector<int>{0, 0}) == Shares{{}, {}});
  CHECK(spread(std::vector{0, 0, 0, 0}, std::vector{0, 1}) == Shares{{0, 1}, {2, 3}});
  CHECK(spread(std::vector{1, 0, 1, 0}, std::vector{0, 1}) == Shares{{1, 3}, {0, 2}});
  CHECK(spread(std::vector{0, 0, 0}, std::vector{1, 0}) == Shares{{1}, {0, 2}});
  CHECK(spread(std::vector{-1, -1, -1}, std::vector{-1, 0}) == Shares{{0, 2}, {1}});
}
