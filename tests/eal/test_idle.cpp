// SPDX-License-Identifier: BSD-3-Clause
// --idle adaptive: lcores that have nothing to do sleep, and nothing else changes.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/wait_until.hpp"

using namespace wirespool::test;

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
// A packet socket's ring that lasts 275 us at its 10 Gbit/s, so that it is worth sleeping.
const std::string large_ring = ",framecnt=4096,blocksz=65536";

bool no_network(const char* what) {
  const auto why = why_no_network();
  if (!why.empty()) skip(what, why);
  return !why.empty();
}

// User and system time of a process so far, in seconds (proc(5): fields 14 and 15).
double cpu_seconds(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// What a capture without packets uses of CPUs, in CPUs: 1 is one that is never idle.
double idle_use(const char* idle) {
  const Bench bench;
  write_trace({.kind = "60", .packets = 100}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = {"--idle", idle, "--stats-interval", "20ms"}});
  REQUIRE(capture.wait_until_running());
  REQUIRE(capture.wait_for_total("received", 100));
  const auto pid = capture.process().pid();
  const auto begin = std::chrono::steady_clock::now();
  const auto before = cpu_seconds(pid);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto used = cpu_seconds(pid) - before;
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 100);
  for (const auto& lcore : result.last().at("lcores")) {
    const auto asleep_ns = lcore.at("asleep_ns").get<std::uint64_t>();
    CHECK(asleep_ns <= result.last().at("elapsed_ns").get<std::uint64_t>() + second_ns);
    if (std::string(idle) == "poll") CHECK(asleep_ns == 0);
    if (std::string(idle) == "adaptive") CHECK(asleep_ns > second_ns);
  }
  return used / time.count();
}

std::uint64_t asleep_ns(const CaptureResult& result, const std::string& role) {
  std::uint64_t sum = 0;
  for (const auto& lcore : result.last().at("lcores"))
    if (lcore.at("role") == role) sum += lcore.at("asleep_ns").get<std::uint64_t>();
  return sum;
}

std::uint64_t utc_ns() {
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

}  // namespace

TEST_CASE("an adaptive capture of an idle link uses less than half of the CPU time of one that polls") {
  const auto polling = idle_use("poll");
  const auto adaptive = idle_use("adaptive");
  CAPTURE(polling, adaptive);
  CHECK(polling > 0);
  CHECK(adaptive < polling / 2);
}

TEST_CASE("nothing of a paced link is lost by lcores that sleep, whichever of them builds the Blocks") {
  if (no_network("a link")) return;
  const auto handoff = GENERATE(as<std::string>{}, "packets", "blocks");
  const auto per_second = GENERATE(2'000u, 20'000u);
  CAPTURE(handoff, per_second);
  const Bench bench;
  const VethPair veth;
  const auto trace = make_trace({.kind = "imix", .packets = per_second});
  write_pcap(trace, bench.trace());
  LiveCapture capture(
      {.vdevs = {"net_af_packet0,iface=" + veth.right() + large_ring},
       .outputs = bench.outputs,
       .options = {"--idle", "adaptive", "--handoff", handoff, "--strict", "--stats-interval", "20ms"}});
  REQUIRE(capture.wait_until_running());
  TraceSender sender(veth.left(), trace, capture, 2'048, per_second);
  CHECK(sender.send_until(trace.size()));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == trace.size());
  CHECK(result.process.exit_code == 0);
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  CHECK(asleep_ns(result, "writer") > 0);
}

TEST_CASE("packets that came while an RX lcore slept are stamped within the bound that the ledger states") {
  if (no_network("a link")) return;
  constexpr std::size_t bursts = 100, burst = 8;
  const Bench bench;
  const VethPair veth;
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right() + large_ring},
                       .outputs = bench.outputs,
                       .options = {"--idle", "adaptive", "--timestamp", "tsc", "--stats-interval", "20ms"}});
  REQUIRE(capture.wait_until_running());
  const auto trace = make_trace({.kind = "60", .packets = bursts * burst});
  const FrameSender sender(nullptr, veth.left());
  std::vector<std::uint64_t> sent;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    sent.push_back(utc_ns());
    sender.send(trace[i]);
    if (i % burst == burst - 1) std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  CHECK(capture.wait_for_total("stored", trace.size()));
  const auto result = capture.stop();
  INFO(result.describe());
  std::uint64_t longest_sleep_ns = 0, line_error_ns = 0;
  for (const auto& line : result.ledger) {
    const auto& clock = line.at("clock");
    const auto sleep_ns = clock.at("longest_sleep_ns").get<std::uint64_t>();
    longest_sleep_ns = std::max(longest_sleep_ns, sleep_ns);
    if (const auto& error = clock.at("line_error_ns"); !error.is_null())
      line_error_ns = std::max(line_error_ns, error.get<std::uint64_t>());
    if (const auto& bound = clock.at("error_ns"); !bound.is_null()) CHECK(bound >= sleep_ns);
  }
  CHECK((longest_sleep_ns > 0) == (asleep_ns(result, "rx") > 0));
  const auto stored = read_spool(bench.outputs);
  REQUIRE(stored.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(stored[i].time.ns + longest_sleep_ns + line_error_ns >= sent[i]);
}
