// SPDX-License-Identifier: BSD-3-Clause
// Every kind of virtual port there is, exact where the fabric is. Senders wait for the receiver, so no clock decides.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/eal_options.hpp"
#include "support/skip.hpp"

using namespace wirespool::test;

namespace {

// The ledger often enough for senders that wait for it; nothing lost on this side either.
const Command fast_ledger{"--stats-interval", "10ms", "--block-size", "64KiB", "--when-full", "wait"};

bool skip_if(const char* what, const std::string& why) {
  if (!why.empty()) skip(what, why);
  return !why.empty();
}

// DPDK may be built without a driver; said by EAL's vdev bus.
bool skip_without_driver(const char* driver, const CaptureResult& result) {
  if (result.process.ok() || result.process.err.find("no driver found for") == std::string::npos) return false;
  return skip_if(driver, "this DPDK is built without it");
}

// net_af_packet puts the tag that the kernel took off back as 802.1Q, whatever it was (rte_vlan_insert knows no other).
Trace as_af_packet_tells(const Trace& sent) {
  Trace told;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    std::vector<std::byte> bytes(sent[i].bytes.begin(), sent[i].bytes.end());
    if (bytes[12] == std::byte{0x88} && bytes[13] == std::byte{0xa8}) {
      bytes[12] = std::byte{0x81};
      bytes[13] = std::byte{0x00};
    }
    told.append(sent[i].time, bytes, sent[i].wirelen);
  }
  return told;
}

std::string compare_with(const Trace& expected, const Bench& bench) {
  write_pcap(expected, bench.trace("expected.pcap"));
  return compare_spool_in_order(bench.trace("expected.pcap"), bench.outputs);
}

// Frames into a running capture by way of an interface, and what the capture came to.
std::string send_and_check(LiveCapture& capture, const FrameSender& sender, const Trace& trace, const Bench& bench) {
  const bool all = send_windowed(sender, trace, capture, 200);
  const auto result = capture.stop();
  if (!all) return "not all were received: " + result.describe();
  return check_capture(result, bench.outputs);
}

std::string over_veth(const Trace& trace, const Bench& bench, const std::string& arguments, unsigned mtu = 1500) {
  const NetNamespace where;
  const VethPair veth(&where, mtu);
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right() + ",blocksz=65536," + arguments},
                       .outputs = bench.outputs,
                       .options = fast_ledger,
                       .inside = &where});
  if (!capture.wait_until_running()) return capture.stop().describe();
  const bool all = send_windowed({&where, veth.left()}, trace, capture, 1'000);
  const auto result = capture.stop();
  if (!all) return "not all were received: " + result.describe();
  if (auto wrong = check_capture(result, bench.outputs); !wrong.empty()) return wrong;
  return compare_with(as_af_packet_tells(trace), bench);
}

Command peer_command(const std::string& vdev, const std::filesystem::path& trace) {
  const char* program = std::getenv("DPDK_PEER");
  REQUIRE(program != nullptr);
  Command command{program, "--lcores", lcore_map(1)};
  const auto memory = eal_options(64);
  command.insert(command.end(), memory.begin(), memory.end());
  if (memory.back() == "--in-memory") command.emplace_back("--single-file-segments");
  command.insert(command.end(), {"--vdev", vdev, "--", trace.string()});
  return command;
}

struct Wire {
  const char* driver;
  std::string ours, theirs;  // --vdev of the capture and of its peer
  bool peer_first = false;   // it makes the socket
};

// A trace that another DPDK process sends, which waits where the wire is full.
std::string over_wire(const Wire& wire, const TraceSpec& spec, const Bench& bench) {
  write_trace(spec, bench.trace());
  std::optional<Process> peer;
  const auto start_peer = [&] { peer.emplace(peer_command(wire.theirs, bench.trace())); };
  if (wire.peer_first) start_peer();
  if (wire.peer_first) usleep(500'000);
  LiveCapture capture({.vdevs = {wire.ours}, .outputs = bench.outputs, .options = fast_ledger});
  if (!capture.wait_until_running()) {
    const auto result = capture.stop();
    return skip_without_driver(wire.driver, result) ? "" : result.describe();
  }
  if (!wire.peer_first) start_peer();
  const bool sent = peer->wait_for_output("sent ", Seconds(60));
  const bool received = sent && capture.wait_for_total("received", spec.packets, Seconds(20));
  const auto result = capture.stop();
  if (!sent) return "the peer did not send: " + peer->stop().describe();
  if (!received) return "not all were received: " + result.describe();
  if (auto wrong = check_capture(result, bench.outputs); !wrong.empty()) return wrong;
  return compare_spool_in_order(bench.trace(), bench.outputs);
}

}  // namespace

TEST_CASE("frames over a veth pair come back complete through net_af_packet") {
  if (skip_if("net_af_packet", why_no_network())) return;
  const Bench bench(2);
  CHECK(over_veth(make_trace({.kind = "mixed", .packets = 100'000}), bench, "framesz=2048,framecnt=4096") == "");
}

TEST_CASE("jumbo frames over a veth pair come back complete through net_af_packet") {
  if (skip_if("net_af_packet", why_no_network())) return;
  const Bench bench;
  CHECK(over_veth(make_trace({.kind = "jumbo", .packets = 5'000}), bench, "framesz=16384,framecnt=2048", 9000) == "");
}

TEST_CASE("a VLAN tag that the kernel took off is in the stored frame again") {
  if (skip_if("net_af_packet", why_no_network())) return;
  const auto kind = GENERATE(values({"vlan", "qinq"}));
  CAPTURE(kind);
  const Bench bench;
  CHECK(over_veth(make_trace({.kind = kind, .packets = 5'000}), bench, "framesz=2048,framecnt=4096") == "");
}

TEST_CASE("each queue of a net_af_packet port keeps its order") {
  if (skip_if("net_af_packet", why_no_network())) return;
  const Bench bench(2);
  const NetNamespace where;
  const VethPair veth(&where);
  LiveCapture capture(
      {.vdevs = {"net_af_packet0,iface=" + veth.right() + ",qpairs=2,blocksz=65536,framesz=2048,framecnt=4096"},
       .outputs = bench.outputs,
       .options = {"--stats-interval", "10ms", "--when-full", "wait", "--rx-queues", "2", "--rx-lcores", "1,2"},
       .lcores = 4,
       .inside = &where});
  REQUIRE(capture.wait_until_running());
  write_trace({.kind = "imix", .packets = 20'000}, bench.trace());
  CHECK(send_windowed({&where, veth.left()}, read_pcap(bench.trace()), capture, 1'000));
  const auto result = capture.stop();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(compare_each_file(bench.trace(), bench.outputs) == "");
  for (const auto& lcore : result.last().at("lcores")) CHECK(lcore.at("packets") > 0);
}

TEST_CASE("frames into a TAP device come back complete through net_tap") {
  if (skip_if("net_tap", why_no_network())) return;
  if (skip_if("net_tap", access("/dev/net/tun", R_OK | W_OK) == 0 ? "" : "needs /dev/net/tun")) return;
  const Bench bench;
  const NetNamespace where;
  REQUIRE(run_process(where.inside({"sh", "-c",
                                    "f=/proc/sys/net/ipv6/conf/default/disable_ipv6; "
                                    "test ! -e $f || echo 1 > $f"}))
              .ok());
  const std::string interface = "wst" + std::to_string(getpid()) + "t";
  LiveCapture capture(
      {.vdevs = {"net_tap0,iface=" + interface}, .outputs = bench.outputs, .options = fast_ledger, .inside = &where});
  if (!capture.wait_until_running()) {
    const auto result = capture.stop();
    if (!skip_without_driver("net_tap", result)) FAIL(result.describe());
    return;
  }
  const auto trace = make_trace({.kind = "imix", .packets = 5'000});
  CHECK(send_and_check(capture, {&where, interface}, trace, bench) == "");
  CHECK(compare_with(trace, bench) == "");
}

TEST_CASE("frames over a veth pair come back complete through net_af_xdp") {
  if (skip_if("net_af_xdp", why_no_network())) return;
  const int xdp = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (skip_if("net_af_xdp", xdp >= 0 ? "" : "this kernel has no AF_XDP sockets")) return;
  close(xdp);
  const Bench bench;
  const NetNamespace where;
  const VethPair veth(&where);
  LiveCapture capture({.vdevs = {"net_af_xdp0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = fast_ledger,
                       .inside = &where});
  if (!capture.wait_until_running()) {
    const auto result = capture.stop();
    if (!skip_without_driver("net_af_xdp", result)) FAIL(result.describe());
    return;
  }
  const auto trace = make_trace({.kind = "mixed", .packets = 5'000});
  CHECK(send_and_check(capture, {&where, veth.left()}, trace, bench) == "");
  CHECK(compare_with(trace, bench) == "");
}

TEST_CASE("frames of another DPDK process come back complete through net_memif") {
  const Bench bench;
  const auto side = [&](const std::string& role) {
    return "net_memif0,role=" + role + ",id=0,socket=" + (bench.base / "memif").string() + ",socket-abstract=no";
  };
  CHECK(over_wire({"net_memif", side("server"), side("client")}, {.kind = "mixed", .packets = 20'000}, bench) == "");
}

TEST_CASE("frames of a guest come back complete through net_vhost") {
  const Bench bench;
  const auto socket = (bench.base / "vhost").string();
  CHECK(over_wire({"net_vhost", "net_vhost0,iface=" + socket, "net_virtio_user0,path=" + socket},
                  {.kind = "mixed", .packets = 20'000}, bench) == "");
}

TEST_CASE("frames of a switch come back complete through net_virtio_user") {
  const Bench bench;
  const auto socket = (bench.base / "vhost").string();
  CHECK(over_wire({"net_virtio_user", "net_virtio_user0,path=" + socket, "net_vhost0,iface=" + socket, true},
                  {.kind = "mixed", .packets = 20'000}, bench) == "");
}

TEST_CASE("a net_null port gives exactly the packets asked for") {
  const Bench bench(2);
  const auto result =
      run_capture({.vdevs = {"net_null0,size=64"}, .outputs = bench.outputs, .options = {"--packets", "100000"}});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 100'000);
  CHECK(result.total("stored_bytes") == 6'400'000);
}

TEST_CASE("a net_ring port on which nothing comes leaves no file but the ledger's") {
  const Bench bench;
  const auto result =
      run_capture({.vdevs = {"net_ring0"}, .outputs = bench.outputs, .options = {"--duration", "300ms"}});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("received") == 0);
}
