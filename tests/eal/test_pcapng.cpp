// SPDX-License-Identifier: BSD-3-Clause
// `capture --format pcapng` with the real program: what the files say themselves, as tshark, capinfos and mergecap see
// it.
#include <sstream>
#include <string>
#include <vector>

#include "bench.hpp"
#include "books.hpp"
#include "nic_run.hpp"
#include "pcap_stream.hpp"
#include "reading.hpp"
#include "support/catch.hpp"
#include "support/outside_tools.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool::test;

namespace {

// A packet that is told to have some missing in front of it: its number in the capture, from 0, and how many.
struct Missing {
  std::uint64_t packet = 0, missing = 0;
};

std::vector<Missing> missing_by_tshark(const Paths& directories) {
  std::vector<Missing> all;
  std::uint64_t packet = 0;
  for (const auto& file : sealed_files(directories)) {
    const auto told = run_process({"tshark", "-r", file.string(), "-T", "fields", "-e", "frame.drop_count"});
    if (!told.ok()) throw std::runtime_error("tshark: " + told.describe());
    std::istringstream lines(told.out);
    for (std::string line; std::getline(lines, line); ++packet)
      if (!line.empty()) all.push_back({packet, std::stoull(line)});
  }
  return all;
}

std::uint64_t sum_of(const std::vector<Missing>& all) {
  std::uint64_t sum = 0;
  for (const auto& one : all) sum += one.missing;
  return sum;
}

void check_files(const Paths& directories) {
  for (const auto& file : sealed_files(directories)) {
    INFO(file.string());
    CHECK(file.extension() == ".pcapng");
    CHECK(ask_tshark(file).complaint == "");
    CHECK(ask_capinfos(file).complaint == "");
  }
}

}  // namespace

TEST_CASE("a capture in pcapng comes back complete, and every command reads it") {
  const auto handoff = GENERATE(values<const char*>({"packets", "blocks"}));
  const auto kind = GENERATE(values<const char*>({"mixed", "jumbo"}));
  CAPTURE(handoff, kind);
  const Bench bench(2);
  write_trace({.kind = kind, .packets = 10'000}, bench.trace());
  const auto result =
      run_capture({.vdevs = {replay_of({bench.trace()})},
                   .outputs = bench.outputs,
                   .options = until_packets(10'000, {"--format", "pcapng", "--handoff", handoff, "--rotate-size",
                                                     "2MiB", "--block-size", "64KiB", "--index", "flow"})});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  check_files(bench.outputs);
  const auto capinfos = run_process({"capinfos", sealed_files(bench.outputs).at(0).string()}).out;
  INFO(capinfos);
  CHECK(capinfos.find("Capture oper-sys:    Linux") != std::string::npos);
  CHECK(capinfos.find("Capture application: wirespool ") != std::string::npos);
  CHECK(capinfos.find("Name = net_pcap") != std::string::npos);
  CHECK(capinfos.find("Description = port 0 queue 0") != std::string::npos);
  CHECK(capinfos.find("Time precision = nanoseconds (9)") != std::string::npos);
  CHECK(capinfos.find("Number of stat entries = 1") != std::string::npos);

  const auto verified = run_tool("verify", bench.outputs);
  INFO(verified.describe());
  CHECK(verified.ok());
  CHECK(wirespool_json("ls", bench.outputs).dump().find(".pcapng") != std::string::npos);
  CHECK(compare_in_order(read_pcap(bench.trace()), extract(bench.outputs, bench.base / "all.pcap")) == "");
  CHECK(compare_in_order(read_pcap(bench.trace()),
                         extract(bench.outputs, bench.base / "all.pcapng", {"--format", "pcapng"})) == "");
  const auto indexed = run_tool("index", bench.outputs, {"--again", "--level", "flow"});
  INFO(indexed.describe());
  CHECK(indexed.ok());
  CHECK(run_tool("verify", bench.outputs).ok());

  Command merge{"mergecap", "-w", (bench.base / "merged.pcapng").string()};
  for (const auto& file : sealed_files(bench.outputs)) merge.push_back(file.string());
  CHECK(run_process(merge).ok());
  CHECK(ask_capinfos(bench.base / "merged.pcapng").packets == 10'000);
}

TEST_CASE("what the NIC missed is told in front of the packet that came after it, and at the end of the file") {
  const auto handoff = GENERATE(values<const char*>({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const auto run = capture_behind(bench,
                                  {.persona = "i40e",
                                   // Losses are read while no packet comes.
                                   .script = {counted(500, "nic_missed", 100),
                                              {{"at", 501}, {"wait_ms", 500}},
                                              counted(1'500, "nic_missed", 23),
                                              {{"at", 1'501}, {"wait_ms", 500}}}},
                                  {"--format", "pcapng", "--handoff", handoff});
  INFO(run.describe());
  CHECK(run.result.process.exit_code == 0);
  CHECK(check_capture(run.result, bench.outputs) == "");
  CHECK(run.port().at("nic_missed") == 123);
  check_files(bench.outputs);
  const auto missing = missing_by_tshark(bench.outputs);
  REQUIRE(missing.size() == 2);
  CHECK(missing[0].packet >= 500);
  CHECK(missing[0].packet <= 501);
  CHECK(missing[0].missing == 100);
  CHECK(missing[1].packet >= 1'500);
  CHECK(missing[1].packet <= 1'501);
  CHECK(missing[1].missing == 23);
  const auto verified = run_tool("verify", bench.outputs);
  INFO(verified.describe());
  CHECK(verified.ok());
  CHECK(verified.out.find("only its ledger tells") == std::string::npos);
}

TEST_CASE("what did not fit into a Handoff is told by the next packet, and files and ledger agree") {
  const auto handoff = GENERATE(values<const char*>({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  write_trace({.kind = "60", .packets = 5'000}, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()}, true)},
       .outputs = bench.outputs,
       .options = {"--format", "pcapng", "--handoff", handoff, "--when-full", "drop", "--packets", "3000000",
                   "--handoff-size", "256", "--blocks", "12", "--block-size", "64KiB", "--rotate-size", "8MiB"}});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  const auto lost = result.total("drop_handoff");
  CHECK(lost > 0);
  check_files(bench.outputs);
  const auto told = sum_of(missing_by_tshark(bench.outputs));
  CHECK(told > 0);
  CHECK(told <= lost);
  const auto verified = run_tool("verify", bench.outputs);
  INFO(verified.describe());
  CHECK(verified.ok());
  CHECK(verified.out.find("only its ledger tells") == std::string::npos);
}

TEST_CASE("pcapng that a killed capture left is repaired, and what comes back was sent") {
  const Bench bench;
  write_trace({.kind = "mixed", .packets = 50'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = {"--format", "pcapng", "--flush-age", "50ms", "--rotate-size", "4MiB"}});
  REQUIRE(capture.wait_for_total("stored", 50'000));
  (void)capture.stop(SIGKILL);
  const auto repaired = run_tool("repair", bench.outputs);
  INFO(repaired.describe());
  CHECK(repaired.ok());
  check_files(bench.outputs);
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  const auto verified = run_tool("verify", bench.outputs);
  INFO(verified.describe());
  CHECK(verified.ok());
}
