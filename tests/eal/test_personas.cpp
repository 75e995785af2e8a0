// SPDX-License-Identifier: BSD-3-Clause
// The real program on NICs that are not there: each persona of tests/nic stands in front of a port that replays a
// trace. What the program makes of its counters, clocks, queues and resets.
#include <algorithm>
#include <sstream>
#include <vector>

#include "bench.hpp"
#include "books.hpp"
#include "nic_run.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"

using namespace wirespool::test;

TEST_CASE("every persona is captured from, to the last packet") {
  const auto* const persona = GENERATE("iavf", "ixgbevf", "ixgbe", "i40e", "ice", "mlx5", "ena", "bnxt", "igb");
  CAPTURE(persona);
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = persona});
  INFO(run.describe());
  CHECK(run.result.process.exit_code == 0);
  CHECK(check_capture(run.result, bench.outputs) == "");
  CHECK(run.result.total("stored") == packets);
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

TEST_CASE("a failed reading takes no loss back, and a counter that began again goes on where it was") {
  const Bench bench;
  const auto run = capture_behind(bench,
                                  {.persona = "i40e",
                                   .script = {counted(500, "nic_missed", 100),
                                              {{"wait_ms", 100}, {"stats_error", -5}},
                                              {{"wait_ms", 100}, {"stats_error", 0}, {"count", {{"nic_missed", 150}}}},
                                              {{"wait_ms", 100}, {"set", {{"nic_missed", 40}}}}}},
                                  {"--strict"});
  INFO(run.describe());
  CHECK(run.port().at("nic_missed") == 290);
  CHECK(run.result.process.exit_code == 4);
  bool told = false;
  std::uint64_t last = 0;
  for (const auto& line : run.result.ledger) {
    const auto& port = line.at("ports").at(0);
    told = told || port.value("stats_failed", false);
    CHECK(port.at("nic_missed").get<std::uint64_t>() >= last);
    last = port.at("nic_missed").get<std::uint64_t>();
  }
  CHECK(told);
}

TEST_CASE("statistics that end with the device leave the losses in the final ledger") {
  const auto* const persona = GENERATE("bnxt", "i40e");
  const Bench bench;
  const auto run =
      capture_behind(bench, {.persona = persona, .script = {counted(packets - 8, "nic_missed", 7)}}, {"--strict"});
  INFO(run.describe());
  CHECK(run.port().at("nic_missed") == 7);
  CHECK_FALSE(run.port().contains("stats_failed"));
  CHECK(run.result.process.exit_code == 4);
}

TEST_CASE("statistics that fail to the end are told, and nobody says that nothing was lost") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "i40e", .script = {{{"at", 500}, {"stats_error", -5}}}},
                                  {"--strict", "--idle-exit", "500ms"});
  INFO(run.describe());
  CHECK(run.port().at("stats_failed") == true);
  CHECK(run.result.process.exit_code == 4);
}

TEST_CASE("what a driver does not count is unknown, with the reason, and never 0") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "ixgbevf"});
  INFO(run.describe());
  CHECK(run.port().at("nic_missed").is_null());
  CHECK(run.port().at("nic_errors").is_null());
  CHECK_THAT(run.port().at("not_counted").at("nic_missed").get<std::string>(), Catch::Contains("PF"));
}

TEST_CASE("drops that only the driver's own counters have are lost packets") {
  const Bench bench;
  const auto run = capture_behind(
      bench,
      {.persona = "mlx5", .script = {counted(500, "rx_phy_discard_packets", 11), counted(600, "rx_good_packets", 500)}},
      {"--strict"});
  INFO(run.describe());
  CHECK(run.port().at("nic_other") == 11);
  CHECK(run.port().at("nic_missed") == 0);
  CHECK(run.port().at("xstats").at("rx_phy_discard_packets") == 11);
  CHECK_FALSE(run.port().at("xstats").contains("rx_good_packets"));
  CHECK(run.result.process.exit_code == 4);
}

TEST_CASE("refills that failed are no lost packets where a driver counts these") {
  const Bench bench;
  const auto refills =
      capture_behind(bench, {.persona = "iavf", .script = {counted(500, "no_mbuf", 1'000'000)}}, {"--strict"});
  INFO(refills.describe());
  CHECK(refills.port().at("no_mbuf").is_null());
  CHECK(refills.port().at("refills_failed") == 1'000'000);
  CHECK(refills.result.process.exit_code == 0);
  const Bench other;
  const auto lost = capture_behind(other, {.persona = "mlx5", .script = {counted(500, "no_mbuf", 9)}}, {"--strict"});
  INFO(lost.describe());
  CHECK(lost.port().at("no_mbuf") == 9);
  CHECK(lost.result.process.exit_code == 4);
}

TEST_CASE("a VF that its PF resets is brought back, and the gap is in the ledger") {
  const auto* const persona = GENERATE("iavf", "ixgbevf", "ena");
  const auto* const idle = GENERATE("poll", "adaptive");
  CAPTURE(persona, idle);
  const Bench bench;
  const auto run = capture_behind(
      bench,
      {.persona = persona,
       .script = {counted(900, "nic_missed", 30),
                  {{"at", 1'000}, {"wait_ms", 100}, {"deaf", true}, {"stats_error", -5}, {"fire", "INTR_RESET"}}}},
      {"--strict", "--idle", idle});
  INFO(run.describe());
  CHECK(run.was_asked("reset"));
  CHECK(run.result.total("stored") == 1'000 + packets);  // net_pcap begins its trace again when it is started
  const auto& gaps = run.result.last().at("gaps");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].at("port") == 0);
  CHECK_FALSE(gaps[0].at("to").is_null());
  CHECK(gaps[0].at("from") < gaps[0].at("to"));
  CHECK_THAT(gaps[0].at("why").get<std::string>(), Catch::Contains("reset"));
  if (run.port().at("nic_missed").is_number()) CHECK(run.port().at("nic_missed") == 30);
  CHECK(run.result.process.exit_code == 4);
  CHECK_THAT(run.result.process.err, Catch::Contains("is back after"));
  CHECK(check_ledger(run.result) == "");
}

TEST_CASE("a VF that does not come back after its reset ends the capture with the reason") {
  const Bench bench;
  const auto run = capture_behind(bench,
                                  {.persona = "iavf",
                                   .script = {counted(900, "nic_missed", 30),
                                              {{"at", 1'000},
                                               {"wait_ms", 100},
                                               {"deaf", true},
                                               {"stats_error", -5},
                                               {"reset_error", -16},
                                               {"fire", "INTR_RESET"}}}},
                                  {"--duration", "20s"});
  INFO(run.describe());
  CHECK(run.result.process.exit_code == 3);
  CHECK_THAT(run.result.process.err, Catch::Contains("did not come back"));
  CHECK(run.result.total("stored") == 1'000);
  CHECK(run.port().at("nic_missed") == 30);
  CHECK(run.result.last().at("gaps").at(0).at("to").is_null());
}

TEST_CASE("a VF whose PF is gone without a word is found by its statistics") {
  const Bench bench;
  const auto run = capture_behind(
      bench, {.persona = "iavf", .script = {{{"at", 1'000}, {"deaf", true}, {"stats_error", -5}, {"reset_error", -5}}}},
      {"--duration", "30s"});
  INFO(run.describe());
  CHECK(run.result.process.exit_code == 3);
  CHECK_THAT(run.result.process.err, Catch::Contains("statistics cannot be read"));
}

TEST_CASE("a driver that recovers its device itself is left alone until it has") {
  const Bench bench;
  const auto run =
      capture_behind(bench, {.persona = "bnxt",
                             .script = {{{"at", 1'000}, {"deaf", true}, {"fire", "ERR_RECOVERING"}},
                                        {{"wait_ms", 200}, {"deaf", false}, {"fire", "RECOVERY_SUCCESS"}}}});
  INFO(run.describe());
  CHECK_FALSE(run.was_asked("reset"));
  CHECK(run.result.total("stored") == packets);
  CHECK_FALSE(run.result.last().at("gaps").at(0).at("to").is_null());
  CHECK(run.result.process.exit_code == 0);
}

TEST_CASE("a device that is removed ends the capture with the reason") {
  const auto* const event = GENERATE("INTR_RMV", "BUS_REMOVE", "RECOVERY_FAILED");
  CAPTURE(event);
  const Bench bench;
  Json script = {{{"at", 1'000}, {"deaf", true}, {"fire", event}}};
  if (event == std::string("RECOVERY_FAILED"))
    script = {{{"at", 1'000}, {"deaf", true}, {"fire", "ERR_RECOVERING"}}, {{"wait_ms", 300}, {"fire", event}}};
  const auto run = capture_behind(bench, {.persona = "bnxt", .script = script}, {"--duration", "20s"});
  INFO(run.describe());
  CHECK(run.result.process.exit_code == 3);
  CHECK(run.result.total("stored") == 1'000);
  CHECK_THAT(run.result.process.err, Catch::Contains("port 0"));
}

TEST_CASE("the capture goes on with the ports that are left, and does not end as if nothing had been") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 500}, bench.trace("other.pcap"));
  const auto run =
      capture_behind(bench, {.persona = "iavf", .script = {{{"at", 1'000}, {"deaf", true}, {"fire", "INTR_RMV"}}}}, {},
                     1, {replay_of({bench.trace("other.pcap")})});
  INFO(run.describe());
  CHECK(run.result.total("stored") == 1'500);
  CHECK(run.result.ended_by() == "--idle-exit");
  CHECK(run.result.process.exit_code == 3);
}

TEST_CASE("a PF that grants fewer queues than were asked for leaves RSS alone") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "iavf"}, {"--rx-queues", "6", "--rx-lcores", "1"}, 4);
  INFO(run.describe());
  CHECK(run.was_asked("configure rx_queues=6"));
  CHECK(run.was_asked("configure rx_queues=4 mtu=1500 rss=0x"));
  CHECK_FALSE(run.was_asked("configure rx_queues=4 mtu=1500 rss=0x0 "));
  CHECK_THAT(run.result.process.err, Catch::Contains("all RX queues but 4") && Catch::Contains("(-1)"));
  CHECK(run.result.total("stored") == 4 * packets);
  CHECK(run.result.process.exit_code == 0);
}

TEST_CASE("a VF that does not start with a number of queues that is no power of two is started with fewer") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "ixgbevf"}, {"--rx-queues", "3", "--rx-lcores", "1"}, 3);
  INFO(run.describe());
  CHECK(run.was_asked("start rx_queues=2"));
  CHECK(run.result.total("stored") == 2 * packets);
  CHECK_THAT(run.result.process.err, Catch::Contains("does not start with 3 RX queues") &&
                                         Catch::Contains("none in effect"));  // its RSS is its PF's
}

TEST_CASE("the plan that is printed and kept says what the device granted, not what was asked of it") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "iavf"}, {"--rx-queues", "6", "--rx-lcores", "1"}, 4);
  INFO(run.describe());
  CHECK_THAT(run.result.process.err, Catch::Contains("4 x 2048 descriptors") && !Catch::Contains("6 x 2048") &&
                                         Catch::Contains("port 0 queue 3") && !Catch::Contains("port 0 queue 4"));
  const auto plan = kept_plan(bench);
  CHECK(plan.at("ports").at(0).at("rx_queues") == 4);
  CHECK(plan.at("rx_lcores").at(0).at("queues").size() == 4);
  CHECK(plan.at("rx_queues") == 6);  // as asked
}

TEST_CASE("the plan says so when RSS, or the NIC's clock, is not what was planned") {
  const Bench bench;
  const auto vf = capture_behind(bench, {.persona = "ixgbevf"}, {"--rx-queues", "3", "--rx-lcores", "1"}, 3);
  INFO(vf.describe());
  CHECK_THAT(vf.result.process.err, Catch::Contains("2 x 2048 descriptors") && Catch::Contains("no RSS"));
  CHECK(kept_plan(bench).at("ports").at(0).at("rss_functions") == 0);
  const Bench other;
  const auto clock = capture_behind(other, {.persona = "mlx5-no-clock"});
  INFO(clock.describe());
  CHECK_THAT(clock.result.process.err, Catch::Contains("its clock cannot be read") && !Catch::Contains("NIC's clock"));
  CHECK(kept_plan(other).at("ports").at(0).at("hw_timestamp") == false);
}

TEST_CASE("a device that takes an RSS key or an MTU and does not use it is found out") {
  const Bench bench;
  const auto run =
      capture_behind(bench, {.persona = "own-key"}, {"--rx-queues", "2", "--rx-lcores", "1", "--mtu", "9000"}, 2);
  INFO(run.describe());
  CHECK(run.was_asked("set_mtu 9000"));
  CHECK_THAT(run.result.process.err, Catch::Contains("took its RSS key and hashes with another") &&
                                         Catch::Contains("took an MTU of 9000 and has one of 1500") &&
                                         Catch::Contains("RSS device's key") && Catch::Contains("MTU 1500"));
  const auto port = kept_plan(bench).at("ports").at(0);
  CHECK(port.at("symmetric_key") == false);
  CHECK(port.at("rss_functions") != 0);
  CHECK(port.at("mtu") == 1500);
  const Bench other;
  const auto right = capture_behind(other, {.persona = "i40e"}, {"--rx-queues", "2", "--rx-lcores", "1"}, 2);
  CHECK(kept_plan(other).at("ports").at(0).at("symmetric_key") == true);
}

TEST_CASE("--strict over a device that does not count what it misses says at the start that it cannot know") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "ixgbevf"}, {"--strict"});
  INFO(run.describe());
  CHECK_THAT(run.result.process.err, Catch::Contains("--strict cannot know what the device misses"));
  CHECK(run.result.process.exit_code == 0);
  const Bench other;
  CHECK_THAT(capture_behind(other, {.persona = "i40e"}, {"--strict"}).result.process.err,
             !Catch::Contains("cannot know"));
}

TEST_CASE("one full queue does not stop the others: drop_en is set where it helps, and what it drops is counted") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "ixgbe", .script = {counted(500, "rx_q1_errors", 13)}},
                                  {"--rx-queues", "2", "--rx-lcores", "1", "--strict"}, 2);
  INFO(run.describe());
  CHECK(run.was_asked("rx_queue 0 descriptors=2048 drop=1"));
  CHECK(run.was_asked("rx_queue 1 descriptors=2048 drop=1"));
  CHECK(run.port().at("nic_other") == 13);
  CHECK(run.port().at("nic_missed") == 0);
  CHECK(run.result.process.exit_code == 4);
  const Bench other;
  CHECK(capture_behind(other, {.persona = "i40e"}).was_asked("rx_queue 0 descriptors=2048 drop=0"));
}

TEST_CASE("a VF's promiscuous mode that its PF refuses is told with who can allow it") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "ixgbevf-refused"});
  INFO(run.describe());
  CHECK_THAT(run.result.process.err, Catch::Contains("refuses promiscuous mode") && Catch::Contains("trust on") &&
                                         Catch::Contains("a PF that is promiscuous itself"));
  CHECK(run.result.total("stored") == packets);
}

TEST_CASE("stamps of a clock that cannot be used are not asked for, and are no stand-in for the one that was") {
  const auto* const persona = GENERATE("iavf", "bnxt", "ice");
  CAPTURE(persona);
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = persona});
  INFO(run.describe());
  CHECK(run.asked.find("timestamp") == std::string::npos);
  const Bench other;
  const auto hardware = capture_behind(other, {.persona = persona}, {"--timestamp", "hw"});
  INFO(hardware.describe());
  CHECK(hardware.result.process.exit_code == 2);
  CHECK_THAT(hardware.result.process.err, Catch::Contains("--timestamp"));
}

TEST_CASE("an MTU that a port has is not made 1500") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "mlx5"});
  CHECK(run.was_asked("configure rx_queues=1 mtu=9000"));
  const Bench other;
  const auto asked = capture_behind(other, {.persona = "i40e"}, {"--mtu", "9000"});
  INFO(asked.describe());
  CHECK(asked.was_asked("configure rx_queues=1 mtu=9000"));
  CHECK(asked.was_asked("set_mtu 9000"));
}

TEST_CASE("pause frames are switched off") {
  const auto* const persona = GENERATE("igb", "mlx5");
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = persona});
  CHECK(run.was_asked("flow_control 0"));
}

TEST_CASE("a ring is not as short as the driver recommends it for forwarding") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "i40e"});
  CHECK(run.was_asked("rx_queue 0 descriptors=2048"));
}

TEST_CASE("VLAN tags that the hardware took off without being asked are in the stored frames") {
  const Bench bench;
  write_trace({.kind = "vlan", .packets = packets}, bench.trace());
  const auto run = capture_behind(bench, {.persona = "iavf-port-vlan"});
  INFO(run.describe());
  CHECK(check_capture(run.result, bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

TEST_CASE("a device without promiscuous mode is not advised to be trusted") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "ena"});
  CHECK_THAT(run.result.process.err, Catch::Contains("has no promiscuous mode") && !Catch::Contains("ip link"));
}

TEST_CASE("stamps of a clock that proves right are used") {
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "mlx5"});
  INFO(run.describe());
  CHECK(run.asked.find("offloads= timestamp") != std::string::npos);
  CHECK(run.port().at("stamps_refused") == 0);
}

TEST_CASE("one wild stamp is refused and counted, and the clock goes on") {
  const Bench bench;
  const auto run = capture_behind(
      bench, {.persona = "mlx5", .script = {{{"at", 1'000}, {"stamp_offset", 4'294'967'296}, {"packets", 1}}}});
  INFO(run.describe());
  CHECK(run.port().at("stamps_refused") == 1);
  CHECK_THAT(run.result.process.err, !Catch::Contains("not used any more"));
  CHECK(check_capture(run.result, bench.outputs) == "");
}

TEST_CASE("a clock that is not the one that stamps is given up within a second or so, and told") {
  const auto* const persona = GENERATE("other-clock", "nfb-old", "ena-stamps");
  CAPTURE(persona);
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = persona, .script = {{{"at", 1'500}, {"wait_ms", 2'500}}}});
  INFO(run.describe());
  CHECK(run.port().at("stamps_refused") == 1'500);
  CHECK_THAT(run.result.process.err, Catch::Contains("not used any more"));
  CHECK(check_capture(run.result, bench.outputs) == "");
}

TEST_CASE("stamps that are UTC already need no clock that can be read, and are looked at as any") {
  const Bench bench;
  const auto run = capture_behind(
      bench, {.persona = "nfb", .script = {{{"at", 1'000}, {"stamp_offset", 1'000'000'000'000'000}, {"packets", 3}}}},
      {"--timestamp", "hw"});
  INFO(run.describe());
  CHECK(run.asked.find("offloads= timestamp") != std::string::npos);
  CHECK(kept_plan(bench).at("ports").at(0).at("hw_timestamp") == true);
  CHECK(run.port().at("stamps_refused") == 3);
  const auto& clock = run.result.last().at("clock");
  CHECK(clock.at("source") == "hw");
  CHECK(clock.at("line_error_ns").is_null());  // nothing is known of how right the device's UTC is
  CHECK(check_capture(run.result, bench.outputs) == "");
}

namespace {

using Times = std::vector<std::uint64_t>;

// What the NIC stamped, in ns, sorted.
Times stamped(const NicRun& run) {
  Times times;
  std::istringstream lines(run.asked);
  for (std::string word; lines >> word;) {
    std::uint64_t queue = 0, ticks = 0;
    if (word == "stamp" && lines >> queue >> ticks) times.push_back(ticks);
  }
  std::ranges::sort(times);
  return times;
}

// What was stored, in ns, sorted.
Times stored(const Bench& bench) {
  Times times;
  SpoolStream packets(bench.outputs);
  while (const auto packet = packets.next()) times.push_back(packet->time.ns);
  std::ranges::sort(times);
  return times;
}

}  // namespace

TEST_CASE("stamps of several queues of one RX lcore are stored as their NIC gave them, in files that are in order") {
  const auto* const handoff = GENERATE("packets", "blocks");
  CAPTURE(handoff);
  const Bench bench;
  const auto run = capture_behind(bench, {.persona = "nfb-late-queues"},
                                  {"--rx-queues", "3", "--rx-lcores", "1", "--handoff", handoff}, 3);
  INFO(run.describe());
  CHECK(run.result.total("stored") == 3 * packets);
  CHECK(run.port().at("stamps_refused") == 0);
  CHECK(kept_plan(bench).at("rx_lcores").at(0).at("queues").at(2).at("stream") == 2);
  CHECK((stored(bench) == stamped(run)));
  CHECK(check_capture(run.result, bench.outputs) == "");
}

TEST_CASE("a NIC's stamps are as it gave them beside those of a port that the TSC stamps") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = packets}, bench.trace("other.pcap"));
  const auto run = capture_behind(
      bench,
      {.persona = "nfb-late-queues", .script = {{{"at", 0}, {"stamp_offset", -3'000'000}, {"packets", packets}}}},
      {"--rx-lcores", "1"}, 1, {replay_of({bench.trace("other.pcap")})});
  INFO(run.describe());
  CHECK(run.result.total("stored") == 2 * packets);
  CHECK((std::ranges::includes(stored(bench), stamped(run))));
  CHECK(stamped(run).size() == packets);
  CHECK(check_capture(run.result, bench.outputs) == "");
}

TEST_CASE("--packets holds for all Streams of an RX lcore together") {
  const auto* const handoff = GENERATE("packets", "blocks");
  CAPTURE(handoff);
  const Bench bench;
  const auto run = capture_behind(
      bench, {.persona = "nfb-late-queues"},
      {"--rx-queues", "3", "--rx-lcores", "1", "--packets", "1000", "--handoff", handoff, "--idle-exit", "20s"}, 3);
  INFO(run.describe());
  CHECK(run.result.ended_by() == "--packets");
  CHECK(run.result.total("received") == 1'000);
  CHECK(run.result.total("stored") == 1'000);
  CHECK(check_capture(run.result, bench.outputs) == "");
}
