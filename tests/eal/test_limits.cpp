// SPDX-License-Identifier: BSD-3-Clause
// When a capture ends by itself, and how far it goes with --until.
#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"

using namespace wirespool::test;

namespace {

// A short trace over and over.
CaptureCommand endless(const Bench& bench, const Command& options) {
  write_trace({.kind = "590", .packets = 500}, bench.trace());
  return {.vdevs = {replay_of({bench.trace()}, true)}, .outputs = bench.outputs, .options = options};
}

}  // namespace

TEST_CASE("--packets takes exactly so many, in the middle of a Burst or not") {
  const auto packets = GENERATE(1, 63, 64, 65, 10'007);
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(packets, handoff);
  const Bench bench;
  const auto result = run_capture(endless(bench, {"--packets", std::to_string(packets), "--handoff", handoff}));
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ended_by() == "--packets");
  CHECK(result.total("received") == static_cast<std::uint64_t>(packets));
}

TEST_CASE("--packets holds for all ports together") {
  const Bench bench(2);
  write_trace({.kind = "60", .packets = 500}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()}, true), replay_of({bench.trace()}, true)},
                                   .outputs = bench.outputs,
                                   .options = {"--packets", "20001", "--rx-lcores", "1,3", "--block-size", "64KiB"},
                                   .lcores = 5});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("received") == 20'001);
}

TEST_CASE("--bytes ends the capture once so many have come") {
  const Bench bench;
  const auto result = run_capture(endless(bench, {"--bytes", "1MiB"}));
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ended_by() == "--bytes");
  CHECK(result.total("received_bytes") >= 1u << 20);
}

TEST_CASE("--duration ends the capture in time, with packets and without") {
  const Bench bench;
  const auto vdev = GENERATE(values<std::string>({"net_ring0", "net_null0,size=1400"}));
  CAPTURE(vdev);
  const auto result = run_capture({.vdevs = {vdev}, .outputs = bench.outputs, .options = {"--duration", "200ms"}});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ended_by() == "--duration");
  CHECK(result.last().at("elapsed_ns") >= 200'000'000);
  CHECK((result.total("received") > 0) == (vdev != "net_ring0"));
}

TEST_CASE("--idle-exit ends the capture when nothing comes any more, and not before") {
  const Bench bench;
  write_trace({.kind = "mixed", .packets = 20'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = {"--idle-exit", "1s", "--block-size", "64KiB"}});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ended_by() == "--idle-exit");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

TEST_CASE("a capture until an earlier stage writes nothing and counts all as ended early") {
  const auto until = GENERATE(values({"rx", "handoff", "block"}));
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(until, handoff);
  const Bench bench;
  write_trace({.kind = "mixed", .packets = 20'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = {},
                                   .options = until_packets(20'000, {"--until", until, "--handoff", handoff})});
  INFO(result.describe());
  CHECK(result.process.ok());
  CHECK(check_ledger(result) == "");
  CHECK(result.total("ended_early") == 20'000);
  CHECK(result.total("stored") == 0);
  CHECK(result.last().at("drives").empty());
}

TEST_CASE("a capture until an earlier stage leaves a given directory alone") {
  const Bench bench;
  const auto result = run_capture(endless(bench, {"--until", "block", "--packets", "1000"}));
  CHECK(result.process.ok());
  CHECK(std::filesystem::is_empty(bench.outputs[0]));
}
