// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "options/values.hpp"
#include "plan/capture_table.hpp"
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::options;
using namespace wirespool::plan;
using namespace wirespool::test;
using Catch::Contains;

namespace {

CapturePlan a_plan() {
  auto machine = a_machine(5, 1, 3);
  machine.drives[0].numa_node = -1;
  auto config = a_config(machine);
  config.rx_queues = 2;
  config.duration_ns = 10'000'000'000;
  return must_plan(config, machine);
}

}  // namespace

TEST_CASE("the plan in words says who polls what and who writes where") {
  const auto text = describe(a_plan());
  CHECK_THAT(text, Contains("capture until disk"));
  CHECK_THAT(text, Contains("0000:3b:00.0  net_ice  node 0  2 x 2048 descriptors"));
  CHECK_THAT(text, Contains("port 0 queue 0") && Contains("port 0 queue 1"));
  CHECK_THAT(text, Contains("w00, ") && Contains("w01, ") && Contains("/data/nvme2"));
  CHECK_THAT(text, Contains("node any"));
}

TEST_CASE("the plan in words says every size in bytes") {
  const auto plan = a_plan();
  const auto text = describe(plan);
  for (const auto* what : {"mbufs", "handoffs", "blocks", "in hugepages", "index", "total"}) {
    CHECK_THAT(text, Contains(what));
  }
  CHECK_THAT(text, Contains(group_digits(plan.mbuf_bytes)) && Contains(group_digits(plan.blocks_bytes)));
  CHECK_THAT(text, Contains(format_size(plan.total_bytes())));
}

TEST_CASE("the plan has a line for the tables of flows where flows are followed, and else none") {
  CHECK_THAT(describe(a_plan()), !Contains("tables of"));
  const auto machine = a_machine(5, 1, 3);
  auto config = a_config(machine);
  config.cutoff = 65536;
  config.flow_table = 5000;
  const auto plan = must_plan(config, machine);
  CHECK_THAT(describe(plan), Contains("tables of 5000 flows in 1 lcore(s)"));
  CHECK(nlohmann::json::parse(to_json(plan))["memory"]["flow_bytes"] == plan.flow_bytes);
}

TEST_CASE("no line of the plan ends in blanks") {
  const auto text = describe(a_plan());
  CHECK(text.find(" \n") == std::string::npos);
  CHECK(text.back() == '\n');
}

TEST_CASE("notices end the description") {
  auto machine = a_machine(3, 1, 1);
  machine.drives[0].free_bytes = 1;
  CHECK_THAT(describe(must_plan(a_config(machine), machine)), Contains("notice: /data/nvme0: 1 free"));
}

TEST_CASE("a measurement describes no files and no drives") {
  const auto machine = a_machine(2, 1, 0);
  CaptureConfig config;
  config.until = Until::rx;
  const auto text = describe(must_plan(config, machine));
  CHECK_THAT(text, !Contains("drives\n") && !Contains("files\n") && !Contains("writer"));
}

TEST_CASE("the plan as JSON is the same plan") {
  const auto plan = a_plan();
  const auto json = nlohmann::json::parse(to_json(plan));
  CHECK(json["until"] == "disk");
  CHECK(json["when_full"] == "drop");
  CHECK(json["duration_ns"] == 10'000'000'000);
  CHECK(json["packets"].is_null());
  CHECK(json["ports"][0]["mbufs"] == plan.ports[0].mbufs);
  CHECK(json["rx_lcores"].size() == plan.rx_lcores.size());
  CHECK(json["rx_lcores"][0]["queues"][0]["port"] == 0);
  CHECK(json["writers"][1]["drives"].size() == plan.writers[1].drives.size());
  CHECK(json["drives"][2]["path"] == "/data/nvme2");
  CHECK(json["memory"]["total_bytes"] == plan.total_bytes());
}

TEST_CASE("every option is in the plan as JSON, as asked or as decided") {
  auto plan = a_plan();
  plan.config.rotate_age_ns = 5'000'000'000;
  plan.config.rx_desc = 77;
  plan.config.on_seal = "gzip -k";
  const auto json = nlohmann::json::parse(to_json(plan));
  for (const auto& row : capture_table().rows()) {
    CAPTURE(row.name);
    CHECK(json.contains(row.json_key()));
  }
  CHECK(json["rotate_age_ns"] == 5'000'000'000);
  CHECK(json["rx_desc"] == 77);
  CHECK(json["mtu"].is_null());
  CHECK(json["output"] == plan.config.outputs);
  CHECK(json["promiscuous"] == true);
  CHECK(json["on_seal"] == "gzip -k");
}

TEST_CASE("the plan in words says all options in force, and marks those asked for") {
  auto plan = a_plan();
  plan.config.on_seal = "gzip -k";
  plan.config.strict = true;
  const auto text = describe(plan);
  CHECK_THAT(text, Contains("*--output /data/nvme0 *--output /data/nvme1"));
  CHECK_THAT(text,
             Contains(" --name wirespool --rotate-size 4GiB\n  --rotate-age 60s ") && Contains("*--duration 10s"));
  CHECK_THAT(text, Contains("*--on-seal 'gzip -k'") && Contains("*--strict"));
  CHECK_THAT(text, !Contains("--dry-run") && !Contains("--mtu"));
}

TEST_CASE("a path that is not UTF-8 still makes JSON") {
  auto plan = a_plan();
  plan.drives[0].path = "/data/\xff\xfe";
  CHECK_NOTHROW(nlohmann::json::parse(to_json(plan)));
}

TEST_CASE("a plan in effect has what the devices granted, and says who has nothing to poll") {
  auto machine = a_machine(6, 1, 1);
  auto config = a_config(machine);
  config.rx_queues = 4;
  config.rx_lcores = {1, 2};
  const auto plan = must_plan(config, machine);
  REQUIRE(plan.rx_lcores.size() == 2);
  auto granted = plan.ports;
  granted[0].rx_queues = 1;
  granted[0].mbufs = plan.ports[0].mbufs * 2;
  const auto effect = in_effect(plan, granted, Io::uring);
  CHECK(effect.rx_lcores[0].queues == std::vector<RxQueueRef>{{0, 0}});
  CHECK(effect.rx_lcores[1].queues.empty());
  CHECK(effect.mbuf_bytes > plan.mbuf_bytes);
  CHECK_THAT(describe(effect), Contains("1 x 2048 descriptors") && Contains("no queue: its port grants fewer"));
  CHECK(in_effect(plan, plan.ports, Io::uring).mbuf_bytes == plan.mbuf_bytes);
}

TEST_CASE("a plan in effect says with what is written") {
  const auto plan = a_plan();
  const auto effect = in_effect(plan, plan.ports, Io::pwrite);
  CHECK_THAT(describe(plan), Contains(" --io uring"));
  CHECK_THAT(describe(effect), Contains("*--io pwrite") && !Contains("uring"));
  CHECK(nlohmann::json::parse(to_json(effect)).at("io") == "pwrite");
}
