// SPDX-License-Identifier: BSD-3-Clause
// --filter, through the real program.
#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/trace.hpp"

using namespace wirespool::test;
using Catch::Contains;

namespace {

constexpr std::uint64_t packets = 5'000;

}  // namespace

TEST_CASE("a capture with a filter stores what tcpdump keeps of the trace, and counts the rest as filtered") {
  const auto [expression, engine] = GENERATE(table<const char*, const char*>({
      {"tcp or udp port 53", "librte_bpf"},
      {"vlan and ip", "librte_bpf"},
      {"not ip and not vlan", "librte_bpf"},
      {"ip6 protochain 17", "libpcap"},
      {"less 10", "librte_bpf"},
  }));
  const std::string handoff = GENERATE("packets", "blocks");
  const std::string kind = GENERATE("mixed", "jumbo");
  CAPTURE(expression, handoff, kind);
  const Bench bench;
  write_trace({.kind = kind, .packets = packets}, bench.trace());
  const auto kept = bench.base / "kept.pcap";
  REQUIRE(run_process({"tcpdump", "--nano", "-r", bench.trace(), "-w", kept, expression}).ok());
  // What is filtered does not count for --packets: it is stopped once it has received all.
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = {"--filter", expression, "--handoff", handoff, "--stats-interval", "50ms"}});
  CHECK(capture.wait_for_total("received", packets));
  const auto result = capture.stop();
  INFO(result.describe());
  const auto expected = read_pcap(kept);
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(check_stored(bench.outputs, result) == "");
  CHECK(result.total("received") == packets);
  CHECK(result.total("stored") == expected.size());
  CHECK(result.total("filtered") == packets - expected.size());
  CHECK(result.total("lost") == 0);
  if (expected.size()) {
    CHECK(check_capture(result, bench.outputs) == "");
    CHECK(compare_spool_in_order(kept, bench.outputs, 262144) == "");
  }
  const auto plan = run_capture({.vdevs = {replay_of({bench.trace()})},
                                 .outputs = bench.outputs,
                                 .options = {"--filter", expression, "--dry-run"}});
  CHECK_THAT(plan.process.out, Contains(std::string("filter ") + expression + "\n  run by " + engine));
}

TEST_CASE("a bad expression is refused with libpcap's words before anything starts") {
  const Bench bench;
  const auto result =
      run_capture({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--filter", "tcp prot 80"}});
  CHECK(result.process.exit_code == 1);
  CHECK_THAT(result.process.err,
             Contains("wirespool: --filter: tcp prot 80: ") && Contains("syntax error") && Contains("pcap-filter(7)"));
  CHECK_THAT(result.process.err, !Contains("EAL"));
  CHECK(result.process.out.empty());
  CHECK(std::filesystem::is_empty(bench.outputs[0]));
}

TEST_CASE("--packets counts what a filter leaves, as tcpdump's -c does") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 5'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()}, true)},
                                   .outputs = bench.outputs,
                                   .options = {"--filter", "greater 1000", "--packets", "1000"}});
  INFO(result.describe());
  CHECK(check_ledger(result) == "");
  CHECK(result.total("stored") == 1000);
  CHECK(result.total("filtered") > 1000);  // a twelfth of the frames is that long
  CHECK(result.total("received") == result.total("filtered") + 1000);
  CHECK(result.ended_by() == "--packets");
}
