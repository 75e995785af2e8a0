// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "stats/ledger.hpp"
#include "support/catch.hpp"

using namespace wirespool::stats;

namespace {

Ledger balanced() {
  Ledger ledger;
  ledger.time = {1'763'711'670'123'456'789};
  ledger.elapsed_ns = 2'000'000'000;
  ledger.ports = {{.port = 0, .name = "net_\"pcap\"0", .received = 10, .received_bytes = 640, .nic_missed = 1}};
  ledger.totals = {.received = 10,
                   .received_bytes = 640,
                   .ended_early = 1,
                   .stored = 5,
                   .stored_bytes = 320,
                   .drop_handoff = 2,
                   .drop_drive = 1};
  ledger.drives = {DriveLine{}};
  ledger.lcores = {{.lcore = 1, .role = "rx"}};
  return ledger;
}

}  // namespace

TEST_CASE("in_flight is what is neither stored nor lost", "[ledger]") {
  CHECK(balanced().in_flight() == 1);
  CHECK(balanced().imbalance().empty());
}

TEST_CASE("a stage that misses packets is named, and they are not called in flight", "[ledger]") {
  auto ledger = balanced();
  ledger.totals.received += 7;
  ledger.stages.resize(2);
  ledger.stages[0].stage = "rx";
  ledger.stages[1].stage = "handoff";
  ledger.stages[0].found(1, 0, "lcore 1");
  ledger.stages[1].found(0, 0, "lcore 1 to lcore 2");
  ledger.stages[1].found(3, 7, "lcore 1 to lcore 3");
  CHECK(ledger.in_flight() == 1);
  CHECK(ledger.imbalance() ==
        "handoff: 7 packets came in, did not go on and are not there, the first at lcore 1 to lcore 3");
  const auto json = nlohmann::json::parse(to_json(ledger));
  CHECK(json["imbalance"] == ledger.imbalance());
  CHECK(
      json["stages"].dump() ==
      R"([{"imbalance":0,"in_flight":1,"stage":"rx","unit":"packets"},{"imbalance":7,"in_flight":3,"stage":"handoff","unit":"packets"}])");
  CHECK(json["totals"]["in_flight"] == 1);
}

TEST_CASE("messages that are missing are an imbalance too, of nobody knows how many packets", "[ledger]") {
  auto ledger = balanced();
  ledger.stages = {{.stage = "handoff", .unit = "messages"}};
  ledger.stages[0].found(2, 1, "lcore 1 to lcore 2");
  CHECK(ledger.in_flight() == 1);
  CHECK(ledger.imbalance().starts_with("handoff: 1 messages"));
}

TEST_CASE("a line that balances does not speak of an imbalance", "[ledger]") {
  CHECK_FALSE(nlohmann::json::parse(to_json(balanced())).contains("imbalance"));
}

TEST_CASE("packets left over at the end are an imbalance", "[ledger]") {
  auto ledger = balanced();
  ledger.final = true;
  CHECK(ledger.imbalance().find("leaves 1 packets") != std::string::npos);
  ledger.totals.stored += 1;
  CHECK(ledger.imbalance().empty());
}

TEST_CASE("more stored than received is an imbalance at any time", "[ledger]") {
  auto ledger = balanced();
  ledger.totals.stored += 2;
  CHECK_FALSE(ledger.imbalance().empty());
}

TEST_CASE("a port and the lcores that disagree are an imbalance", "[ledger]") {
  auto ledger = balanced();
  ledger.totals.stored += 1;
  ledger.final = true;
  ledger.ports[0].received = 11;
  CHECK(ledger.imbalance().find("the ports received 11") != std::string::npos);
}

TEST_CASE("lost is everything that a cause is known for", "[ledger]") { CHECK(balanced().lost() == 4); }

TEST_CASE("a ledger line is one line of JSON with the agreed names", "[ledger]") {
  const auto text = to_json(balanced());
  CHECK(text.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["time"] == "2025-11-21T07:54:30.123456789Z");
  CHECK(json["final"] == false);
  CHECK(json["ports"][0]["name"] == "net_\"pcap\"0");
  CHECK(json["totals"]["in_flight"] == 1);
  CHECK(json["totals"]["trimmed"] == 0);
  CHECK(json["totals"]["ended_early"] == 1);
  CHECK(json["totals"]["filtered"] == 0);
  CHECK(json["totals"]["lost"] == 4);
  CHECK(json["drives"][0]["write_latency_ns"]["p99"] == 0);
  CHECK(json["lcores"][0]["role"] == "rx");
}

TEST_CASE("what --on-seal did is in the line if there is such a command", "[ledger]") {
  auto ledger = balanced();
  CHECK_FALSE(nlohmann::json::parse(to_json(ledger)).contains("on_seal"));
  ledger.on_seal = OnSealLine{3, 2, 1};
  CHECK(nlohmann::json::parse(to_json(ledger)).at("on_seal").dump() == R"({"done":3,"failed":2,"pending":1})");
  CHECK(console_summary(ledger).find("--on-seal: 3 files done, 2 runs failed, 1 files wait") != std::string::npos);
}

TEST_CASE("a service manager gets rates, losses, lost drives and waiting files in one short line", "[ledger]") {
  auto ledger = balanced();
  ledger.drives[0].state = "failed";
  ledger.on_seal = OnSealLine{3, 2, 1};
  CHECK(rates_line(ledger, Ledger{}) ==
        "5pps 2.56kbit/s, 5 stored, lost nic_missed 1 drop_handoff 2 drop_drive 1, 1 of 1 drives out, 1 files wait for "
        "--on-seal");
}

TEST_CASE("the console names each cause of loss", "[ledger]") {
  const auto line = console_line(balanced(), Ledger{});
  CHECK(line.find("nic_missed 1 drop_handoff 2 drop_drive 1") != std::string::npos);
  auto clean = balanced();
  clean.totals.drop_handoff = clean.totals.drop_drive = 0;
  clean.ports[0].nic_missed = 0;
  CHECK(console_line(clean, Ledger{}).find("lost 0") != std::string::npos);
}
