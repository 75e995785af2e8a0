// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "format/ledger_line.hpp"
#include "stats/ledger.hpp"
#include "stats/losses.hpp"
#include "stats/render.hpp"
#include "support/catch.hpp"

using namespace wirespool::format;
using namespace wirespool::stats;

namespace {

LedgerLine balanced() {
  LedgerLine ledger;
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
  close_books(ledger);
  return ledger;
}

// As it is written: closed, encoded, and taken apart by another reader.
nlohmann::json json_of(LedgerLine ledger) {
  close_books(ledger);
  return nlohmann::json::parse(encode_ledger_line(ledger));
}

std::string closed_imbalance(LedgerLine ledger) {
  close_books(ledger);
  return ledger.imbalance;
}

}  // namespace

TEST_CASE("in_flight is what is neither stored nor lost", "[ledger]") {
  CHECK(balanced().totals.in_flight == 1);
  CHECK(imbalance(balanced()).empty());
}

TEST_CASE("a stage that misses packets is named, and they are not called in flight", "[ledger]") {
  auto ledger = balanced();
  ledger.totals.received += 7;
  ledger.stages.resize(2);
  ledger.stages[0].stage = "rx";
  ledger.stages[1].stage = "handoff";
  add_place(ledger.stages[0], 1, 0, "lcore 1");
  add_place(ledger.stages[1], 0, 0, "lcore 1 to lcore 2");
  add_place(ledger.stages[1], 3, 7, "lcore 1 to lcore 3");
  CHECK(in_flight(ledger) == 1);
  CHECK(closed_imbalance(ledger) ==
        "handoff: 7 packets came in, did not go on and are not there, the first at lcore 1 to lcore 3");
  const auto json = json_of(ledger);
  CHECK(json["imbalance"] == closed_imbalance(ledger));
  CHECK(
      json["stages"].dump() ==
      R"([{"imbalance":0,"in_flight":1,"stage":"rx","unit":"packets"},{"imbalance":7,"in_flight":3,"stage":"handoff","unit":"packets","where":"lcore 1 to lcore 3"}])");
  CHECK(json["totals"]["in_flight"] == 1);
}

TEST_CASE("messages that are missing are an imbalance too, of nobody knows how many packets", "[ledger]") {
  auto ledger = balanced();
  ledger.stages = {{.stage = "handoff", .unit = "messages"}};
  add_place(ledger.stages[0], 2, 1, "lcore 1 to lcore 2");
  CHECK(in_flight(ledger) == 1);
  CHECK(closed_imbalance(ledger).starts_with("handoff: 1 messages"));
}

TEST_CASE("a line that balances does not speak of an imbalance", "[ledger]") {
  CHECK_FALSE(json_of(balanced()).contains("imbalance"));
}

TEST_CASE("packets left over at the end are an imbalance", "[ledger]") {
  auto ledger = balanced();
  ledger.final = true;
  CHECK(closed_imbalance(ledger).find("leaves 1 packets") != std::string::npos);
  ledger.totals.stored += 1;
  CHECK(closed_imbalance(ledger).empty());
}

TEST_CASE("more stored than received is an imbalance at any time", "[ledger]") {
  auto ledger = balanced();
  ledger.totals.stored += 2;
  CHECK_FALSE(closed_imbalance(ledger).empty());
}

TEST_CASE("a port and the lcores that disagree are an imbalance", "[ledger]") {
  auto ledger = balanced();
  ledger.totals.stored += 1;
  ledger.final = true;
  ledger.ports[0].received = 11;
  CHECK(closed_imbalance(ledger).find("the ports received 11") != std::string::npos);
}

TEST_CASE("a reader finds that a line does not agree with itself, and believes a line that says so") {
  auto ledger = balanced();
  ledger.totals.in_flight += 1;
  CHECK(imbalance(ledger).find("leaves 1 packets, and in_flight is 2") != std::string::npos);
  ledger = balanced();
  ledger.imbalance = "writer: 1 packets came in";
  CHECK(imbalance(ledger) == "writer: 1 packets came in");
  close_books(ledger);
  CHECK(ledger.imbalance.empty());
}

TEST_CASE("what a filter and a cut left out is accounted for") {
  auto ledger = balanced();
  ledger.totals.received += 5;
  ledger.ports[0].received += 5;
  ledger.totals.filtered = 2;
  ledger.totals.cut = 3;
  CHECK(json_of(ledger)["totals"]["in_flight"] == 1);
}

TEST_CASE("lost is everything that a cause is known for", "[ledger]") { CHECK(losses_of(balanced()).sum() == 4); }

TEST_CASE("a ledger line is one line of JSON with the agreed names", "[ledger]") {
  const auto text = encode_ledger_line(balanced());
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

TEST_CASE("when a drive was away is in its line and in the summary, and is no loss", "[ledger]") {
  auto ledger = balanced();
  CHECK_FALSE(json_of(ledger)["drives"][0].contains("away"));
  CHECK_FALSE(json_of(ledger)["drives"][0].contains("taken_back"));
  const auto losses = [](const std::string& text) { return text.substr(text.find("lost:")); };
  const auto lost = losses(console_summary(ledger));
  auto& drive = ledger.drives[0];
  drive.taken_back = 1;
  drive.away = {
      {.from = ledger.time, .to = wirespool::Timestamp{ledger.time.ns + 1}, .why = "writing: Input/output error"},
      {.from = ledger.time, .to = std::nullopt, .why = "syncing: Input/output error"}};
  const auto json = json_of(ledger)["drives"][0];
  CHECK(json["taken_back"] == 1);
  CHECK(json["away"][0]["from"] == "2025-11-21T07:54:30.123456789Z");
  CHECK(json["away"][0]["to"] == "2025-11-21T07:54:30.123456790Z");
  CHECK(json["away"][1]["to"].is_null());
  const auto text = console_summary(ledger);
  CHECK(text.find("took no packets from 2025-11-21T07:54:30.123456789Z to the end: syncing") != std::string::npos);
  CHECK(losses(text) == lost);
}

TEST_CASE("what --on-seal did is in the line if there is such a command", "[ledger]") {
  auto ledger = balanced();
  CHECK_FALSE(json_of(ledger).contains("on_seal"));
  ledger.on_seal = OnSealLine{3, 2, 1};
  CHECK(json_of(ledger).at("on_seal").dump() == R"({"done":3,"failed":2,"pending":1})");
  CHECK(console_summary(ledger).find("--on-seal: 3 files done, 2 runs failed, 1 files wait") != std::string::npos);
}

TEST_CASE("a service manager gets rates, losses, lost drives and waiting files in one short line", "[ledger]") {
  auto ledger = balanced();
  ledger.drives[0].state = "failed";
  ledger.on_seal = OnSealLine{3, 2, 1};
  CHECK(rates_line(ledger, LedgerLine{}) ==
        "5pps 2.56kbit/s, 5 stored, lost nic_missed 1 drop_handoff 2 drop_drive 1, 1 of 1 drives out, 1 files wait for "
        "--on-seal");
}

TEST_CASE("the console names each cause of loss", "[ledger]") {
  const auto line = console_line(balanced(), LedgerLine{});
  CHECK(line.find("nic_missed 1 drop_handoff 2 drop_drive 1") != std::string::npos);
  auto clean = balanced();
  clean.totals.drop_handoff = clean.totals.drop_drive = 0;
  clean.ports[0].nic_missed = 0;
  CHECK(console_line(clean, LedgerLine{}).find("lost 0") != std::string::npos);
}
