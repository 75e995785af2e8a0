// SPDX-License-Identifier: BSD-3-Clause
// A device that offers less than was asked for: a notice, and the capture runs.
#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"

using namespace wirespool::test;

namespace {

struct Clamp {
  const char* what;
  Command options;
  const char* notice;  // on stderr; empty: none is due
};

std::ostream& operator<<(std::ostream& out, const Clamp& clamp) { return out << clamp.what; }

const Clamp clamps[] = {
    {"more RX queues than it has", {"--rx-queues", "4"}, "RX queue"},
    {"fewer descriptors than usual", {"--rx-desc", "1"}, ""},
    {"as many descriptors as there can be", {"--rx-desc", "65535"}, ""},
    {"an MTU", {"--mtu", "9000"}, ""},
    {"the greatest MTU", {"--mtu", "65535"}, ""},
    {"the least MTU", {"--mtu", "68"}, ""},
    {"RSS by the device", {"--rx-queues", "2", "--rss", "device"}, "RX queue"},
    {"not promiscuous", {"--promiscuous", "off"}, ""},
    {"the least burst", {"--burst", "8"}, ""},
    {"the greatest burst", {"--burst", "1024"}, ""},
};

}  // namespace

TEST_CASE("a device that offers less than was asked for is captured with what it has") {
  const auto clamp = GENERATE(from_range(std::begin(clamps), std::end(clamps)));
  const auto when_full = GENERATE(values({"wait", "drop"}));
  CAPTURE(clamp, when_full);
  const Bench bench;
  write_trace({.kind = "imix", .packets = 3'000}, bench.trace());
  auto options = until_packets(3'000, clamp.options);
  options.insert(options.end(), {"--when-full", when_full});
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = options, .megabytes = 512});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains(clamp.notice));
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

TEST_CASE("a trace that leaves no mbufs to receive into is refused: its port would be deaf") {
  const Bench bench;
  write_trace({.kind = "60", .packets = 2'000}, bench.trace());  // the plan has 2048
  const Command options = {"--handoff", "blocks", "--packets", "1000"};
  const auto result =
      run_capture({.vdevs = {replay_of({bench.trace()}, true)}, .outputs = bench.outputs, .options = options});
  INFO(result.describe());
  CHECK(result.process.exit_code == 2);
  CHECK_THAT(result.process.err,
             Catch::Contains("its trace takes 2000 of 2048 mbufs") && Catch::Contains("give --mbufs 4048"));
  auto more = options;
  more.insert(more.end(), {"--mbufs", "4048"});
  const auto enough =
      run_capture({.vdevs = {replay_of({bench.trace()}, true)}, .outputs = bench.outputs, .options = more});
  INFO(enough.describe());
  CHECK(enough.process.exit_code == 0);
  CHECK(enough.total("stored") == 1'000);
}

TEST_CASE("RSS that a virtual device does not offer is left out with a notice") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace(), bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = until_packets(2'000, {"--rx-queues", "2"})});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains("offers no RSS"));
}

TEST_CASE("promiscuous mode that a device refuses is a notice") {
  const Bench bench;
  const auto socket = (bench.base / "memif").string();
  const auto result = run_capture({.vdevs = {"net_memif0,role=server,socket-abstract=no,socket=" + socket},
                                   .outputs = bench.outputs,
                                   .options = {"--duration", "200ms"}});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
}
