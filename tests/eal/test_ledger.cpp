// SPDX-License-Identifier: BSD-3-Clause
// The books: every loss by its cause, on every line, and --strict.
#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "reading.hpp"
#include "support/catch.hpp"

using namespace wirespool::test;

namespace {

// A source that no drive keeps up with, and a hand-off that holds next to nothing.
CaptureCommand losing(const Bench& bench, Command options) {
  write_trace({.kind = "1514", .packets = 1'000}, bench.trace());
  options.insert(options.end(), {"--when-full", "drop", "--handoff-size", "128", "--io", "pwrite", "--block-size",
                                 "64KiB", "--packets", "200000"});
  return {.vdevs = {replay_of({bench.trace()}, true)}, .outputs = bench.outputs, .options = std::move(options)};
}

CaptureCommand lossless(const Bench& bench, Command options) {
  write_trace({.kind = "60", .packets = 5'000}, bench.trace());
  return {.vdevs = {replay_of({bench.trace()})},
          .outputs = bench.outputs,
          .options = until_packets(5'000, std::move(options))};
}

}  // namespace

TEST_CASE("what a full hand-off loses is counted, and the rest is on disk") {
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const auto result = run_capture(losing(bench, {"--handoff", handoff, "--stats-interval", "20ms"}));
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("received") == 200'000);
  CHECK(result.total("drop_handoff") > 0);
  CHECK(result.total("stored") + result.total("drop_handoff") == 200'000);
}

// net_pcap(4) takes a frame from its file and then an mbuf for it.
TEST_CASE("frames that find no mbuf are counted as no_mbuf, as the notice at the start says, and the rest is on disk") {
  const Bench bench;
  write_trace({.kind = "1514", .packets = 20'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = {"--mbufs", "64", "--when-full", "drop", "--idle-exit", "500ms"}});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: --mbufs 64: ") && Catch::Contains("lost as no_mbuf"));
  const auto no_mbuf = result.last().at("ports").at(0).at("no_mbuf").get<std::uint64_t>();
  CHECK(no_mbuf > 0);
  CHECK(result.total("lost") == no_mbuf);
  CHECK(result.total("stored") + no_mbuf == 20'000);
}

TEST_CASE("--strict makes a loss exit code 4 and nothing else of it") {
  const Bench bench;
  const auto result = run_capture(losing(bench, {"--strict"}));
  INFO(result.describe());
  CHECK(result.process.exit_code == 4);
  CHECK(check_ledger(result) == "");
  CHECK(check_directory(bench.outputs[0], result) == "");
  CHECK(check_stored(bench.outputs, result) == "");
}

TEST_CASE("--strict says nothing when nothing was lost") {
  const Bench bench;
  const auto result = run_capture(lossless(bench, {"--strict"}));
  CHECK(check_capture(result, bench.outputs) == "");
}

TEST_CASE("every interval has a line, and they agree with the files beside the capture") {
  const Bench bench(3);
  const auto result = run_capture(
      {.vdevs = {"net_null0,size=100"},
       .outputs = bench.outputs,
       .options = {"--duration", "300ms", "--stats-interval", "10ms", "--block-size", "64KiB", "--when-full", "wait"}});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ledger.size() >= 5);
  for (const auto& line : result.ledger) {
    CHECK(line.at("drives").size() == 3);
    CHECK(line.at("lcores").size() == 2);
    for (const auto& drive : line.at("drives")) CHECK(drive.at("state") == "ok");
  }
}

// A line's mean length with so many drives, but for their paths.
static double bytes_a_line(unsigned drives) {
  const Bench bench(drives);
  const auto result = run_capture(
      {.vdevs = {"net_null0,size=1000"},
       .outputs = bench.outputs,
       .options = {"--duration", "300ms", "--stats-interval", "10ms", "--block-size", "64KiB", "--when-full", "wait"}});
  REQUIRE(result.process.ok());
  const auto lines = static_cast<double>(result.ledger.size());
  std::size_t paths = 0;
  for (const auto& output : bench.outputs) paths += output.string().size();
  return static_cast<double>(result.process.out.size()) / lines - static_cast<double>(paths);
}

// README, "Keeping the last N days". A capture that has run for long has longer numbers.
TEST_CASE("at a line a second a ledger takes about 140 MB a day, and some 25 MB more for each further drive") {
  constexpr double megabytes_a_day = 86'400 / 1e6;
  const auto one = bytes_a_line(1) * megabytes_a_day, three = bytes_a_line(3) * megabytes_a_day;
  CAPTURE(one, three);
  CHECK((one > 120 && one < 160));
  CHECK(((three - one) / 2 > 15 && (three - one) / 2 < 35));
}

TEST_CASE("every line says which clock stamps packets and how far from UTC it may be, as far as that is known") {
  const Bench bench;
  const auto result = run_capture({.vdevs = {"net_null0,size=100"},
                                   .outputs = bench.outputs,
                                   .options = {"--duration", "1s", "--when-full", "wait"}});
  CHECK(check_capture(result, bench.outputs) == "");
  for (const auto& line : result.ledger) {
    const auto& clock = line.at("clock");
    INFO(clock.dump());
    CHECK(clock.at("source") == "tsc");
    const bool kept = clock.at("discipline") == "kernel";
    CHECK(clock.at("kernel_max_error_ns").is_number() == kept);
    CHECK(clock.at("error_ns").is_number() == (kept && clock.at("line_error_ns").is_number()));
    if (clock.at("error_ns").is_number())
      CHECK(clock.at("error_ns") ==
            clock.at("line_error_ns").get<std::uint64_t>() + clock.at("kernel_max_error_ns").get<std::uint64_t>());
  }
  CHECK(result.ledger.back().at("clock").at("line_error_ns").get<std::uint64_t>() > 0);
  const auto listed = wirespool_json("ls", bench.outputs);
  for (const auto& file : listed.at("captures").at(0).at("files")) CHECK(file.at("clock").at("source") == "tsc");
}

TEST_CASE("the capture's own record holds its plan and versions") {
  const Bench bench;
  const auto result = run_capture(lossless(bench, {"--name", "probe-7"}));
  CHECK(check_capture(result, bench.outputs) == "");
  for (const auto& entry : std::filesystem::directory_iterator(bench.outputs[0])) {
    CHECK(entry.path().filename().string().starts_with("probe-7-"));
    if (!entry.path().string().ends_with(".capture.json")) continue;
    const auto record = Json::parse(run_process({"cat", entry.path()}).out);
    CHECK(record.at("name") == "probe-7");
    CHECK(record.at("dpdk").get<std::string>().starts_with("DPDK "));
    CHECK(record.at("plan").is_object());
  }
}

TEST_CASE("--stats none says nothing on stdout, and the ledger is still beside the capture") {
  const Bench bench;
  auto result = run_capture(lossless(bench, {"--stats", "none"}));
  CHECK(result.process.ok());
  CHECK(result.process.out.empty());
}

TEST_CASE("--stats console ends with the totals for people") {
  const Bench bench;
  const auto result = run_capture(lossless(bench, {"--stats", "console"}));
  CHECK(result.process.ok());
  CHECK_THAT(result.process.out,
             Catch::Contains("stored") && Catch::Contains("5000") && Catch::Contains("nothing was lost"));
}

TEST_CASE("a reader of the ledger that goes away does not end the capture") {
  const Bench bench;
  write_trace({.kind = "60", .packets = 500}, bench.trace());
  auto command = command_line({.vdevs = {replay_of({bench.trace()}, true)},
                               .outputs = bench.outputs,
                               .options = {"--packets", "300000", "--stats-interval", "10ms"}});
  std::string line;
  for (const auto& word : command) line += "'" + word + "' ";
  const auto result = run_process({"bash", "-c", line + " | head -n 1; exit ${PIPESTATUS[0]}"});
  INFO(result.describe());
  CHECK(result.exit_code == 0);
  std::uint64_t packets = 0;
  for (SpoolStream stored(bench.outputs); stored.next();) ++packets;
  CHECK(packets == 300'000);
}
