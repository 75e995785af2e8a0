// SPDX-License-Identifier: BSD-3-Clause
// What was captured, read back by the commands: compared with the trace by libpcap and tcpdump.
#include "bench.hpp"
#include "pcap_stream.hpp"
#include "reading.hpp"
#include "support/catch.hpp"
#include "support/skip.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

// Three drives, two writers, one queue: the trace's order is the order of the times.
CaptureCommand three_drives(const Bench& bench, std::uint64_t packets, Command options = {}) {
  options.insert(options.end(), {"--block-size", "64KiB", "--writer-lcores", "2,3"});
  return {.vdevs = {replay_of({bench.trace()})},
          .outputs = bench.outputs,
          .options = until_packets(packets, std::move(options)),
          .lcores = 4};
}

// Every byte and length in order, without times.
std::string told_by_tcpdump(const std::filesystem::path& file) {
  return run_process({"sh", "-c", "tcpdump -nn -t -e -xx -r \"$1\" 2>/dev/null | cksum", "sh", file.string()}).out;
}

std::string state_of(const Json& listed, const std::string& name) {
  for (const auto& capture : listed.at("captures"))
    if (capture.at("name") == name) return capture.at("state");
  return "not there";
}

}  // namespace

TEST_CASE("a trace captured onto three drives by two writers is extracted as it was, whatever the index") {
  const auto level = GENERATE(values({"off", "time", "flow"}));
  CAPTURE(level);
  const Bench bench(3);
  write_trace({.kind = "mixed", .packets = 60'000}, bench.trace());
  const auto result = run_capture(three_drives(bench, 60'000, {"--index", level}));
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  const auto listed = wirespool_json("ls", bench.outputs);
  REQUIRE(listed.at("captures").size() == 1);
  CHECK(listed.at("captures")[0].at("files").size() >= 3);
  for (const auto& file : listed.at("captures")[0].at("files"))
    CHECK(file.at("index") == (level == std::string("off") ? "none" : level));
  const auto output = bench.base / "extracted.pcap";
  const auto extracted = extract(bench.outputs, output);
  CHECK(compare_in_order(read_pcap(bench.trace()), extracted) == "");
  CHECK(check_times(extracted) == "");
  CHECK(run_tool("verify", bench.outputs).ok());
  if (!have_program("tcpdump")) return skip("tcpdump's opinion", "needs tcpdump");
  CHECK(told_by_tcpdump(output) == told_by_tcpdump(bench.trace()));
}

TEST_CASE("it is extracted alike while another capture writes into the same directories, which repair leaves alone") {
  const Bench bench(3);
  write_trace({.kind = "mixed", .packets = 40'000}, bench.trace());
  const auto first = run_capture(three_drives(bench, 40'000));
  REQUIRE(first.process.exit_code == 0);
  // Replays 5000 packets, and stays.
  write_trace({.kind = "imix", .packets = 5'000, .seed = 2}, bench.trace("live.pcap"));
  LiveCapture live({.vdevs = {replay_of({bench.trace("live.pcap")})},
                    .outputs = bench.outputs,
                    .options = {"--name", "live", "--block-size", "64KiB", "--rotate-size", "128KiB",
                                "--stats-interval", "10ms", "--flush-age", "10ms"}});
  REQUIRE(live.wait_for_total("stored", 5'000));
  const auto repaired = wirespool_json("repair", bench.outputs);
  std::size_t running = 0;
  for (const auto& directory : repaired.at("directories"))
    for (const auto& file : directory.at("files")) {
      CHECK(file.at("outcome") == "in_use");
      ++running;
    }
  CHECK(running > 0);
  const auto listed = wirespool_json("ls", bench.outputs);
  CHECK(state_of(listed, "live") == "running");
  CHECK(state_of(listed, "wirespool") == "ended");
  std::string live_start;
  for (const auto& capture : listed.at("captures"))
    if (capture.at("name") == "live") live_start = capture.at("start");
  const auto extracted = extract(bench.outputs, bench.base / "extracted.pcap", {"--to", live_start});
  CHECK(compare_in_order(read_pcap(bench.trace()), extracted) == "");
  CHECK(run_tool("verify", bench.outputs).ok());
  CHECK(live.process().running());
  const auto ended = live.stop();
  INFO(ended.describe());
  CHECK(ended.process.exit_code == 0);
  const auto later = extract(bench.outputs, bench.base / "later.pcap", {"--from", live_start});
  CHECK(compare_in_order(read_pcap(bench.trace("live.pcap")), later) == "");
  CHECK(run_tool("verify", bench.outputs).ok());
}

TEST_CASE("a filter finds with a capture's flow index what it finds without, and what tcpdump finds in the trace") {
  if (!have_program("tcpdump")) return skip("filters", "needs tcpdump");
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench(3);
  write_trace({.kind = "mixed", .packets = 30'000, .flows = 3000}, bench.trace());
  const auto captured = run_capture(three_drives(bench, 30'000, {"--index", "flow", "--handoff", handoff}));
  REQUIRE(captured.process.exit_code == 0);
  for (const auto* filter : {"host 10.0.0.5", "net 10.128.0.0/24 and port 443", "vlan and host 10.0.1.7", "arp",
                             "not udp and not vlan", "host 10.0.0.5 or host 10.0.0.6", "ip6 and port 1030", "tcp"}) {
    CAPTURE(filter);
    const auto expected = bench.base / "expected.pcap";
    REQUIRE(run_process({"tcpdump", "-r", bench.trace(), "--nano", "-w", expected, filter}).ok());
    const auto with = extract(bench.outputs, bench.base / "with.pcap", {"--filter", filter});
    const auto without = extract(bench.outputs, bench.base / "without.pcap", {"--no-index", "--filter", filter});
    CHECK(compare_in_order(read_pcap(expected), with) == "");
    CHECK(told_by_tcpdump(bench.base / "with.pcap") == told_by_tcpdump(bench.base / "without.pcap"));
    CHECK(check_times(with) == "");
  }
}
