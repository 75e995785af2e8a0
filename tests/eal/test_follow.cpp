// SPDX-License-Identifier: BSD-3-Clause
// Readers of a capture that runs: `wirespool extract --follow` and pcap-over-IP, while frames come from a wire.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <list>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "spool/serving.hpp"
#include "support/catch.hpp"
#include "support/network.hpp"
#include "support/outside_tools.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"
#include "support/wait_until.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

// What a process has used of the CPUs, user and system, in milliseconds (proc(5), /proc/PID/stat, fields 14 and 15).
long cpu_ms(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(all.substr(all.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  long user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1000 / ::sysconf(_SC_CLK_TCK);
}

Command follow_to(const fs::path& out, const Paths& directories, const Command& options = {}) {
  Command words{wirespool_program(), "extract", "--follow", "-w", out.string()};
  words.insert(words.end(), options.begin(), options.end());
  for (const auto& directory : directories) words.push_back(directory.string());
  return words;
}

std::uintmax_t bytes_of(const fs::path& path) {
  std::error_code not_there;
  const auto bytes = fs::file_size(path, not_there);
  return not_there ? 0 : bytes;
}

Trace read_file(const fs::path& path) {
  PcapStream stream(path);
  Trace trace;
  while (const auto packet = stream.next()) trace.append(*packet);
  return trace;
}

CaptureCommand of_wire(const VethPair& veth, const Bench& bench, Command more = {}) {
  more.insert(more.end(),
              {"--rotate-size", "1MiB", "--block-size", "64KiB", "--flush-age", "100ms", "--stats-interval", "100ms"});
  return {.vdevs = {"net_af_packet0,iface=" + veth.right()}, .outputs = bench.outputs, .options = std::move(more)};
}

}  // namespace

TEST_CASE("four readers follow a capture at a steady rate: its books are exact, and each has every packet stored") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const Bench bench(2);
  const VethPair veth;
  LiveCapture capture(of_wire(veth, bench));
  REQUIRE(capture.wait_until_running());
  std::vector<std::unique_ptr<Process>> followers;
  for (int i = 0; i < 4; ++i)
    followers.push_back(std::make_unique<Process>(follow_to(bench.base / ("out" + std::to_string(i)), bench.outputs)));
  const auto trace = make_trace({.kind = "1514", .packets = 20'000});
  TraceSender sender(veth.left(), trace, capture, 64, 4'000);
  REQUIRE(sender.send_until(10'000));
  for (int i = 0; i < 4; ++i)  // before anything ends
    CHECK(wait_until([&] { return bytes_of(bench.base / ("out" + std::to_string(i))) > 1'000'000; }));
  REQUIRE(sender.send_until(20'000));
  REQUIRE(capture.wait_for_total("stored", 20'000));
  long cost = 0;
  for (const auto& follower : followers) cost += cpu_ms(follower->pid());
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 20'000);
  for (int i = 0; i < 4; ++i) {
    const auto ended = followers[static_cast<std::size_t>(i)]->wait(Seconds(60));
    INFO(ended.describe());
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("removed before") == std::string::npos);
    CHECK(compare_as_set(trace, read_file(bench.base / ("out" + std::to_string(i)))) == "");
  }
  WARN("CPU time of four readers of 20000 packets: " << cost << " ms");
}

namespace {

// A capture of a wire of its own, and what is sent to it.
struct Probe {
  Bench bench;
  VethPair veth;
  Trace trace;
  LiveCapture capture;
  TraceSender sender;

  explicit Probe(const std::string& kind)
      : trace(make_trace({.kind = kind, .packets = 8'000})),
        capture(of_wire(veth, bench, {"--idle", "adaptive"})),
        sender(veth.left(), trace, capture, 64, 2'000) {}
};

}  // namespace

TEST_CASE("two captures, four readers and queries at once: books are exact, and whoever reads has what was stored") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  if (!have_program("curl")) return skip("queries", "curl is not here: apt-get install curl");
  const auto refused = run_process({wirespool_program(), "serve", "--listen", "192.0.2.1:1", "."}).err;
  if (refused.find("built without cpp-httplib") != std::string::npos)
    return skip("queries", "this wirespool was built without cpp-httplib");
  Probe a("1514"), b("imix");
  REQUIRE((a.capture.wait_until_running() && b.capture.wait_until_running()));
  const auto answer = a.bench.base / "answer.pcap";
  Serving serving({a.bench.outputs[0].string(), b.bench.outputs[0].string()});
  struct Reader {
    Reader(const Paths& directories, const Trace& all, const fs::path& file)
        : expected(all), out(file), process(follow_to(file, directories)) {}
    const Trace& expected;
    fs::path out;
    Process process;
  };
  auto both = a.bench.outputs;
  both.insert(both.end(), b.bench.outputs.begin(), b.bench.outputs.end());
  auto of_both = a.trace;
  for (std::size_t i = 0; i < b.trace.size(); ++i) of_both.append(b.trace[i]);
  std::list<Reader> readers;
  const auto read = [&](const Paths& directories, const Trace& all) {
    readers.emplace_back(directories, all, a.bench.base / ("out" + std::to_string(readers.size())));
  };
  read(a.bench.outputs, a.trace);
  read(b.bench.outputs, b.trace);
  read(both, of_both);
  read(both, of_both);
  std::thread to_b([&b] { (void)b.sender.send_until(b.trace.size()); });
  std::size_t queries = 0, found = 0;
  for (std::size_t sent = 0; sent < a.trace.size(); ++queries) {
    sent += a.trace.size() / 8;
    CHECK(a.sender.send_until(sent));
    const auto asked = run_process(curl(serving.url("/api/extract"), {"filter=udp"}, {"-f", "-o", answer.string()}));
    INFO(asked.describe() << serving.log());
    CHECK(asked.ok());
    const auto now = ask_capinfos(answer).packets;
    CHECK(now >= found);  // nothing that could be read once is gone
    found = now;
  }
  to_b.join();
  REQUIRE(a.capture.wait_for_total("stored", a.trace.size()));
  REQUIRE(b.capture.wait_for_total("stored", b.trace.size()));
  long cost = cpu_ms(serving.pid());
  for (const auto& reader : readers) cost += cpu_ms(reader.process.pid());
  const long captures = cpu_ms(a.capture.process().pid()) + cpu_ms(b.capture.process().pid());
  for (auto* probe : {&a, &b}) {
    const auto result = probe->capture.stop();
    INFO(result.describe());
    CHECK(check_capture(result, probe->bench.outputs) == "");
    CHECK(result.total("stored") == probe->trace.size());
  }
  for (auto& reader : readers) {
    const auto ended = reader.process.wait(Seconds(60));
    INFO(ended.describe());
    CHECK(ended.exit_code == 0);
    CHECK(compare_as_set(reader.expected, read_file(reader.out)) == "");
  }
  WARN("CPU time: " << captures << " ms of two captures, " << cost << " ms of four readers and " << queries
                    << " queries");
}

TEST_CASE("who follows into a pipe sees packets while the capture runs, and its end ends the reader") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const Bench bench;
  const VethPair veth;
  LiveCapture capture(of_wire(veth, bench));
  REQUIRE(capture.wait_until_running());
  Process tcpdump({"sh", "-c", "\"$0\" extract --follow \"$1\" -w - | tcpdump -c 100 -nr - >\"$2\"; echo done >>\"$2\"",
                   wirespool_program(), bench.outputs[0].string(), (bench.base / "seen").string()});
  TraceSender sender(veth.left(), make_trace({.kind = "60", .packets = 200}), capture);
  REQUIRE(sender.send_until(200));
  const auto seen = [&bench] {
    std::ifstream file(bench.base / "seen");
    return std::string((std::istreambuf_iterator<char>(file)), {});
  };
  CHECK(wait_until([&] { return seen().ends_with("done\n"); }));  // its reader left, and so did it
  const auto text = seen();
  CHECK(std::ranges::count(text, '\n') >= 100);
  CHECK(capture.stop().total("stored") == 200);
}

TEST_CASE("Ctrl-C ends a reader in order, and a capture that was killed ends it too") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const Bench bench;
  const VethPair veth;
  LiveCapture capture(of_wire(veth, bench));
  REQUIRE(capture.wait_until_running());
  const auto out = bench.base / "out.pcap", other = bench.base / "other.pcap";
  Process interrupted(follow_to(out, bench.outputs)), left(follow_to(other, bench.outputs));
  TraceSender sender(veth.left(), make_trace({.kind = "1514", .packets = 300}), capture);
  REQUIRE(sender.send_until(300));
  REQUIRE(capture.wait_for_total("stored", 300));
  constexpr std::uintmax_t whole = 24 + 300 * (16 + 1514);
  CHECK(wait_until([&] { return bytes_of(out) == whole; }));
  CHECK(interrupted.stop(SIGINT).exit_code == 0);
  CHECK(ask_capinfos(out).packets == 300);
  (void)capture.stop(SIGKILL);
  const auto ended = left.wait(Seconds(60));
  INFO(ended.describe());
  CHECK(ended.exit_code == 0);
  CHECK(ask_capinfos(other).packets == 300);
  CHECK(fs::exists(bench.outputs[0] / ".wirespool.live"));  // it could not take it away
  Process after(follow_to(bench.base / "after.pcap", bench.outputs));
  CHECK(after.wait(Seconds(60)).err.find("no capture runs there") != std::string::npos);
}

TEST_CASE("a capture in pcapng is followed, into pcapng and into pcap") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const Bench bench;
  const VethPair veth;
  LiveCapture capture(of_wire(veth, bench, {"--format", "pcapng"}));
  REQUIRE(capture.wait_until_running());
  const auto pcapng = bench.base / "out.pcapng", pcap = bench.base / "out.pcap";
  Process to_pcapng(follow_to(pcapng, bench.outputs, {"--format", "pcapng"}));
  Process to_pcap(follow_to(pcap, bench.outputs, {"--format", "pcap"}));
  const auto trace = make_trace({.packets = 4'000});
  TraceSender sender(veth.left(), trace, capture, 256);
  REQUIRE(sender.send_until(2'000));
  CHECK(wait_until([&] { return bytes_of(pcap) > 500'000 && bytes_of(pcapng) > 500'000; }));  // before it ends
  REQUIRE(sender.send_until(4'000));
  REQUIRE(capture.wait_for_total("stored", 4'000));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.total("stored") == 4'000);
  for (auto* reader : {&to_pcapng, &to_pcap}) {
    const auto ended = reader->wait(Seconds(60));
    INFO(ended.describe());
    CHECK(ended.exit_code == 0);
  }
  for (const auto& out : {pcapng, pcap}) {
    CAPTURE(out.filename());
    CHECK(compare_in_order(trace, read_file(out)) == "");
    CHECK(ask_tshark(out).packets == 4'000);
  }
}

TEST_CASE("files that move into an archive are followed: by who held them open, who was behind, and who comes later") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const Bench bench;
  const auto archive = bench.base / "archive";
  fs::create_directory(archive);
  const VethPair veth;
  LiveCapture capture(of_wire(veth, bench, {"--archive", archive.string(), "--rotate-age", "1s"}));
  REQUIRE(capture.wait_until_running());
  const Paths outs{bench.base / "steady.pcap", bench.base / "behind.pcap", bench.base / "later.pcap"};
  const auto trace = make_trace({.kind = "1514", .packets = 4'000});
  TraceSender sender(veth.left(), trace, capture, 256);
  Process steady(follow_to(outs[0], bench.outputs)), behind(follow_to(outs[1], bench.outputs));
  REQUIRE(sender.send_until(500));
  CHECK(wait_until([&] { return bytes_of(outs[0]) > 500'000 && bytes_of(outs[1]) > 500'000; }));
  behind.send_signal(SIGSTOP);
  REQUIRE(sender.send_until(3'000));
  CHECK(wait_until([&] {
    const auto line = capture.newest();
    return line.is_object() && line.at("archives").at(0).at("packets") == 3'000;
  }));
  CHECK(sealed_files(bench.outputs).empty());
  behind.send_signal(SIGCONT);
  Process later(follow_to(outs[2], bench.outputs));
  REQUIRE(sender.send_until(4'000));
  REQUIRE(capture.wait_for_total("stored", 4'000));
  constexpr std::uintmax_t whole = 24 + 4'000 * (16 + 1514);
  for (const auto& out : outs) CHECK(wait_until([&] { return bytes_of(out) == whole; }));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.total("stored") == 4'000);
  CHECK(result.total("lost") == 0);
  for (auto* reader : {&steady, &behind, &later}) {
    const auto ended = reader->wait(Seconds(60));
    INFO(ended.describe());
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("removed before") == std::string::npos);
  }
  for (const auto& out : outs) {
    CAPTURE(out.filename());
    CHECK(compare_in_order(trace, read_file(out)) == "");
  }
}
