// SPDX-License-Identifier: BSD-3-Clause
#include <sys/stat.h>

#include "applications.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Catch::Contains;

namespace {

// A capture of `packets` frames, a gap of 0.1 to 2.1 ms between two.
Trace paced_trace(std::uint64_t packets) {
  const auto made = make_trace({.kind = "mixed", .packets = packets, .min_bytes = 14});
  Trace trace;
  Timestamp time{1'767'225'600'000'000'000};
  for (std::size_t i = 0; i < made.size(); ++i) {
    time.ns += 100'000 + i * 7919 % 21 * 100'000;
    trace.append(time, made[i].bytes, made[i].wirelen);
  }
  return trace;
}

struct Replayed {
  Trace again;
  nlohmann::json report;
};

// Sends by `command` (a shell's, with $WIRESPOOL and $IF) and captures at the other end.
Replayed replay(const Link& link, const TempDir& directory, const std::string& command, std::size_t packets) {
  const auto file = (directory / "again.pcap").string();
  Process tcpdump(link.far.inside({"tcpdump", "-i", "far", "-B", "65536", "-s", "0", "--time-stamp-precision", "nano",
                                   "-w", file, "-c", std::to_string(packets)}));
  REQUIRE(tcpdump.wait_for_output("listening on", Seconds(20)));
  const auto result = run_process(link.near.inside({"sh", "-c", command}));
  INFO(result.describe());
  REQUIRE(result.exit_code == 0);
  const auto captured = tcpdump.wait(Seconds(60));
  INFO(captured.describe());
  REQUIRE(captured.exit_code == 0);
  return {read_pcap(file), last_line(result.out)};
}

std::uint64_t length_ns(const Trace& trace) { return trace[trace.size() - 1].time.ns - trace[0].time.ns; }

}  // namespace

TEST_CASE("a capture that is replayed and captured again has the same frames, bytes and order") {
  if (no_network("replay over veth") || !have_program("tcpdump"))
    return skip("replay over veth", "needs root, ip and tcpdump");
  const auto [how, length] = GENERATE(table<std::string, double>({{"--pcap FILE", 1},
                                                                  {"--pcap FILE --speed 4", 0.25},
                                                                  {"--pcap FILE -r 2000 -B", 0},
                                                                  {"--pcap - < FILE", 1},
                                                                  {"--pcap FILE -m -b 32 -B", 1}}));
  CAPTURE(how);
  const Link link;
  const TempDir directory;
  const auto trace = paced_trace(600);
  const auto file = (directory / "first.pcap").string();
  write_pcap(trace, file);
  auto command = "$WIRESPOOL send -R near --json " + how;
  command.replace(command.find("FILE"), 4, file);
  const auto [again, report] = replay(link, directory, command, trace.size());
  CHECK(compare_in_order(trace, again) == "");
  CHECK(report["sent"] == trace.size());
  CHECK(report["unsendable"] == 0);
  CHECK(report["cut"] == 0);
  CHECK(report["sent_bytes"] == trace.bytes());
  CHECK(report["gap_error_ns"]["count"] == trace.size() - 1);
  // Never shorter than it was asked for: a frame is not sent before its time.
  const double wanted =
      length > 0 ? length * static_cast<double>(length_ns(trace)) : static_cast<double>(trace.size() - 1) / 2000 * 1e9;
  CHECK(static_cast<double>(length_ns(again)) > wanted - 20e6);
}

TEST_CASE("what extract gives can be replayed") {
  if (no_network("replay over veth") || !have_program("tcpdump"))
    return skip("replay over veth", "needs root, ip and tcpdump");
  const Link link;
  const TempDir directory;
  const auto trace = paced_trace(100);
  const auto file = (directory / "first.pcap").string();
  write_pcap(trace, file);
  const auto command = "$WIRESPOOL extract " + file + " -w - | $WIRESPOOL send -R near --json --speed 10 --pcap -";
  CHECK(compare_in_order(trace, replay(link, directory, command, trace.size()).again) == "");
}

TEST_CASE("frames that do not fit are left out, counted, and make an exit code") {
  if (no_network("replay over veth")) return;
  const Link link;
  const TempDir directory;
  Trace trace;
  const std::vector<std::byte> bytes(3000, std::byte{0x55});
  for (const std::size_t length : {60, 13, 1600, 1514, 100})
    trace.append({1'000'000'000}, std::span(bytes).first(length), static_cast<std::uint32_t>(length));
  trace.append({1'000'000'001}, std::span(bytes).first(60), 1000);  // cut by a snaplen
  const auto file = (directory / "odd.pcap").string();
  write_pcap(trace, file);
  const auto result = run_process(link.near.inside(program({"send", "-R", "near", "--json", "--pcap", file})));
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, Contains("--pcap: 2 frames are no frames of near: less than 14 bytes, or more than 1518"));
  CHECK_THAT(result.err, Contains("1 frames were sent as short as the capture had kept them"));
  const auto report = last_line(result.out);
  CHECK(report["sent"] == 4);
  CHECK(report["dropped"] == 2);
  CHECK(report["unsendable"] == 2);
  CHECK(report["cut"] == 1);
}

TEST_CASE("a capture that ends in the middle of a record is replayed up to there, and told") {
  if (no_network("replay over veth")) return;
  const Link link;
  const TempDir directory;
  const auto file = (directory / "short.pcap").string();
  write_pcap(paced_trace(10), file);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 5);
  const auto result = run_process(link.near.inside(program({"send", "-R", "near", "--json", "--pcap", file})));
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, Contains(file));
  CHECK(last_line(result.out)["sent"] == 9);
}
