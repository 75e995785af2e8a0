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
                   .filtered = 1,
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
  CHECK(balanced().totals.in_flight() == 1);
  CHECK(balanced().imbalance().empty());
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
  clean.totals.drop_handoff = clean.totals.drop_drive = clean.ports[0].nic_missed = 0;
  CHECK(console_line(clean, Ledger{}).find("lost 0") != std::string::npos);
}
