// SPDX-License-Identifier: BSD-3-Clause
// Devices that were asked for and are not there, and what drivers that are fed by the kernel do not tell.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/wait_until.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool::test;

namespace {

const Command often{"--stats-interval", "10ms"};

bool no_network(const char* what) {
  const auto why = why_no_network();
  if (!why.empty()) skip(what, why);
  return !why.empty();
}

Trace frames_of(unsigned bytes, std::uint64_t packets) {
  return make_trace({.kind = std::to_string(bytes), .packets = packets});
}

// All at once, with nobody to wait for.
void send_all(const FrameSender& sender, const Trace& trace) {
  for (std::size_t i = 0; i < trace.size(); ++i) sender.send(trace[i]);
}

bool is_stopped(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.find(") T ") != std::string::npos;
}

std::uint64_t utc_ns() {
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

const nlohmann::json& first_port(const CaptureResult& result) { return result.last().at("ports").at(0); }

}  // namespace

struct Missing {
  const char *device, *names, *why;
  int exit_code = 2;
};

TEST_CASE("a device that did not come up is named, and the capture does not begin without it") {
  const auto missing = GENERATE(values<Missing>({
      {"--vdev=net_pcap7,rx_pcap=/nonexistent/trace.pcap", "net_pcap7", "No such file"},
      {"--vdev=net_af_packet7,iface=wst0none", "net_af_packet7", "no network interface wst0none"},
      {"--vdev=net_null7,speed=1", "net_null7", "did not start"},
      {"--vdev=net_tap7,ifcae=wst0tap", "net_tap7", "ifcae", 1},
      {"--vdev=net_nosuchdriver0", "net_nosuchdriver0", "No such device"},
      {"--vdev=net_af_packet7,iface=lo,framesz=9088,blocksz=65536", "net_af_packet7", "deaf", 1},
      {"-a0000:00:99.0", "0000:00:99.0", "no such PCI device"},
  }));
  const Bench bench;
  CAPTURE(missing.device);
  auto command = command_line({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "10"}});
  if (std::string(missing.device).starts_with("-a")) std::erase(command, "--no-pci");
  command.insert(command.begin() + 2, missing.device);
  const auto result = run_process(command);
  INFO(result.describe());
  CHECK(result.exit_code == missing.exit_code);
  const auto ours = result.err.find("wirespool: ");
  REQUIRE(ours != std::string::npos);
  CHECK_THAT(result.err.substr(ours), Catch::Contains(missing.names) && Catch::Contains(missing.why));
  CHECK(std::filesystem::is_empty(bench.outputs[0]));
}

TEST_CASE("a virtual device given twice is not quietly one") {
  const Bench bench;
  const auto result = run_capture({.vdevs = {"net_null0,size=64", "net_null0,size=1500"},
                                   .outputs = bench.outputs,
                                   .options = {"--packets", "10"}});
  INFO(result.describe());
  CHECK(result.process.exit_code == 1);
  CHECK_THAT(result.process.err, Catch::Contains("net_null0") && Catch::Contains("twice"));
}

TEST_CASE("an interface that goes down is told, and one that is deleted ends the capture with the reason") {
  if (no_network("interfaces that are deleted")) return;
  const auto device = GENERATE(values({"net_af_packet0,iface=", "net_pcap0,iface=", "net_pcap0,rx_iface="}));
  CAPTURE(device);
  const Bench bench;
  const NetNamespace where;
  auto veth = std::make_optional<VethPair>(&where);
  LiveCapture capture(
      {.vdevs = {device + veth->right()}, .outputs = bench.outputs, .options = often, .inside = &where});
  REQUIRE(capture.wait_until_running());
  veth->set_up(veth->right(), false);
  CHECK(capture.process().wait_for_output("link is down", Seconds(20)));
  veth->set_up(veth->right(), true);
  CHECK(capture.process().wait_for_output("link is up", Seconds(20)));
  veth.reset();
  const auto result = capture.wait(Seconds(20));
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  CHECK_THAT(result.process.err, Catch::Contains("was deleted"));
  CHECK_THAT(result.ended_by(), Catch::Contains("was deleted"));
}

TEST_CASE("no frame of a busy neighbour is in the capture of a packet socket") {
  if (no_network("interfaces side by side")) return;
  const Bench bench;
  const NetNamespace where;
  const VethPair quiet(&where), busy(&where);
  write_pcap(frames_of(60, 1000), bench.trace());
  Process flood(
      where.inside({"tcpreplay", "-q", "--loop=0", "--topspeed", "-K", "-i", busy.left(), bench.trace().string()}));
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + quiet.right()},
                       .outputs = bench.outputs,
                       .options = often,
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  CHECK(flood.running());
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto result = capture.stop();
  flood.send_signal(SIGKILL);
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(result.total("received") == 0);
}

TEST_CASE("a TAP interface that is deleted ends the capture with the reason") {
  if (no_network("interfaces that are deleted")) return;
  if (access("/dev/net/tun", R_OK | W_OK) != 0) return skip("net_tap", "needs /dev/net/tun");
  const Bench bench;
  const NetNamespace where;
  LiveCapture capture(
      {.vdevs = {"net_tap0,iface=wsttap0"}, .outputs = bench.outputs, .options = often, .inside = &where});
  REQUIRE(capture.wait_until_running());
  REQUIRE(run_process(where.inside({"ip", "link", "delete", "wsttap0"})).ok());
  const auto result = capture.wait(Seconds(20));
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  CHECK_THAT(result.process.err, Catch::Contains("wsttap0 was deleted"));
}

TEST_CASE("frames that net_af_packet cuts are told beforehand and counted as cut_by_driver") {
  if (no_network("net_af_packet")) return;
  const Bench bench;
  const NetNamespace where;
  const VethPair veth(&where, 9000);
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10ms", "--strict"},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  const FrameSender sender(&where, veth.left());
  send_all(sender, frames_of(1'500, 7));
  send_all(sender, frames_of(3'000, 5));
  CHECK(capture.wait_for_total("received", 12));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK_THAT(result.process.err, Catch::Contains("MTU of 9000") && Catch::Contains("framesz=16384"));
  CHECK(first_port(result).at("cut_by_driver") == 5);
  CHECK(result.process.exit_code == 4);
}

struct Slots {
  unsigned mtu;
  const char* arguments;
};

// More frames than a block of the ring has slots.
TEST_CASE("the slots that a notice advises for net_af_packet hold the frames it warns of") {
  if (no_network("net_af_packet")) return;
  const auto slots = GENERATE(values<Slots>(
      {{9'000, "framesz=16384,blocksz=65536,framecnt=1024"}, {65'327, "framesz=65408,blocksz=2093056,framecnt=512"}}));
  CAPTURE(slots.arguments);
  const Bench bench;
  const NetNamespace where;
  const VethPair veth(&where, slots.mtu);
  write_pcap(frames_of(slots.mtu + 14, 100), bench.trace());
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right() + "," + slots.arguments},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10ms", "--strict", "--mbufs", "1024", "--rx-desc", "256",
                                   "--handoff-size", "128"},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  send_all({&where, veth.left()}, read_pcap(bench.trace()));
  CHECK(capture.wait_for_total("received", 100));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(first_port(result).at("cut_by_driver") == 0);
  CHECK_THAT(result.process.err, !Catch::Contains("MTU of"));
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

// 900 frames: more than the ring's 512, fewer than the kernel keeps for an interface (net.core.netdev_max_backlog).
TEST_CASE("frames that find net_af_packet's ring full are counted as missed") {
  if (no_network("net_af_packet")) return;
  constexpr unsigned frames = 900;
  const Bench bench;
  const NetNamespace where;
  const VethPair veth(&where);
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10ms", "--strict"},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  capture.process().send_signal(SIGSTOP);
  REQUIRE(wait_until([&] { return is_stopped(capture.process().pid()); }));
  send_all({&where, veth.left()}, frames_of(200, frames));
  capture.process().send_signal(SIGCONT);
  CHECK(wait_until([&] {
    const auto line = capture.newest();
    if (!line.is_object()) return false;
    const auto& port = line.at("ports").at(0);
    return port.at("received").get<unsigned>() + port.at("nic_missed").get<unsigned>() == frames;
  }));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(first_port(result).at("nic_missed") > 0);
  CHECK(result.process.exit_code == 4);
}

TEST_CASE("net_af_packet's frames have the kernel's own stamps, of when each came") {
  if (no_network("net_af_packet")) return;
  constexpr unsigned early = 9;
  const Bench bench;
  const NetNamespace where;
  const VethPair veth(&where);
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10ms"},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  // Whoever stamps when it polls gives what came meanwhile times that are spread over the whole second.
  capture.process().send_signal(SIGSTOP);
  REQUIRE(wait_until([&] { return is_stopped(capture.process().pid()); }));
  const auto before = utc_ns();
  send_all({&where, veth.left()}, frames_of(200, early));
  const auto between = utc_ns() + 500'000'000;
  usleep(1'000'000);
  const auto late = utc_ns();
  send_all({&where, veth.left()}, frames_of(200, 1));
  capture.process().send_signal(SIGCONT);
  CHECK(capture.wait_for_total("received", early + 1));
  const auto result = capture.stop();
  INFO(result.describe());
  if (!first_port(result).contains("stamps_refused")) return skip("net_af_packet", "this DPDK's offers no stamps");
  CHECK(first_port(result).at("stamps_refused") == 0);
  std::vector<std::uint64_t> stamps;
  SpoolStream stored(bench.outputs);
  while (const auto packet = stored.next()) stamps.push_back(packet->time.ns);
  REQUIRE(stamps.size() == early + 1);
  CHECK(stamps.front() >= before);
  CHECK(stamps[early - 1] < between);
  CHECK(stamps[early] >= late);
}

TEST_CASE("times without a packet that are longer than --hole are told as the stamps of what is stored have them") {
  if (no_network("holes of a port")) return;
  constexpr std::uint64_t hole_ns = 150'000'000;
  const Bench bench;
  const VethPair veth;
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--hole", "150ms", "--stats-interval", "50ms"}});
  REQUIRE(capture.wait_until_running());
  const FrameSender sender(nullptr, veth.left());
  const auto trace = frames_of(60, 90);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (i % 30 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(400));
    sender.send(trace[i]);
  }
  CHECK(capture.wait_for_total("stored", trace.size()));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));  // a hole that nothing ends
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  std::vector<std::pair<std::string, std::string>> expected, told;
  std::uint64_t total_ns = 0;
  const auto stored = read_spool(bench.outputs);
  for (std::size_t i = 1; i < stored.size(); ++i) {
    const auto from = stored[i - 1].time, to = stored[i].time;
    if (to.ns - from.ns <= hole_ns) continue;
    expected.emplace_back(wirespool::rfc3339(from), wirespool::rfc3339(to));
    total_ns += to.ns - from.ns;
  }
  for (const auto& line : result.ledger)
    for (const auto& hole : line.at("ports").at(0).at("holes").at("latest"))
      told.emplace_back(hole.at("from"), hole.at("to"));
  CHECK(expected.size() >= 2);
  CHECK(told == expected);
  const auto& holes = first_port(result).at("holes");
  CHECK(holes.at("count") == expected.size());
  CHECK(holes.at("total_ns") == total_ns);
  CHECK(holes.at("open_ns") > hole_ns);
}

TEST_CASE("no largest rate of a port is below its mean, and longer windows hold no less than shorter ones") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 2'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()}, true)},
                                   .outputs = bench.outputs,
                                   .options = {"--packets", "200000", "--stats-interval", "20ms"}});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  std::array<std::uint64_t, 3> packets{}, bytes{};
  for (const auto& line : result.ledger) {
    const auto& peaks = line.at("ports").at(0).at("peaks");
    REQUIRE(peaks.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      packets[i] = std::max(packets[i], peaks.at(i).at("packets").get<std::uint64_t>());
      bytes[i] = std::max(bytes[i], peaks.at(i).at("bytes").get<std::uint64_t>());
    }
    CHECK(!line.at("ports").at(0).contains("holes"));
  }
  CHECK(std::ranges::is_sorted(packets));
  CHECK(std::ranges::is_sorted(bytes));
  const auto& last = result.last();
  for (std::size_t i = 0; i < 3; ++i) {
    const std::uint64_t window_ns = std::array{100'000, 1'000'000, 10'000'000}[i];
    const auto windows = last.at("elapsed_ns").get<std::uint64_t>() / window_ns + 2;
    CHECK(packets[i] * windows >= 200'000);
    CHECK(bytes[i] * windows >= result.total("received_bytes"));
  }
}
