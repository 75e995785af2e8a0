// SPDX-License-Identifier: BSD-3-Clause
// `wirespool serve --pcap-over-ip`: what running and ended captures have stored, to clients as they are: tshark, others
// that only read, and those that nobody wants.
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "spool/kept_capture.hpp"
#include "spool/serving.hpp"
#include "spool/spool_rig.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"
#include "support/outside_tools.hpp"
#include "support/pcap_bytes.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

// A service of these directories with a door for pcap-over-IP.
struct Door {
  std::uint16_t port = free_port();
  Serving serving;

  explicit Door(const std::vector<std::string>& directories, const std::string& how = "", const Command& options = {})
      : serving(directories, with(port, how, options)) {}

  static Command with(std::uint16_t port, const std::string& how, Command options) {
    options.emplace_back("--pcap-over-ip");
    options.push_back("127.0.0.1:" + std::to_string(port) + how);
    return options;
  }
};

// A client that reads: what it was sent so far, as libpcap reads it.
class Stream {
 public:
  explicit Stream(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = loopback(port);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("pcap-over-IP: connect");
  }

  // Reads until there are so many packets, or a minute long.
  const Trace& read_until(std::size_t packets) {
    for (int i = 0; i < 6'000 && trace_.size() < packets; ++i) read();
    return trace_;
  }
  // What comes within a second.
  const Trace& read_a_second() {
    for (int i = 0; i < 100; ++i) read();
    return trace_;
  }

 private:
  void read() {
    pollfd input{socket_.get(), POLLIN, 0};
    if (::poll(&input, 1, 10) <= 0) return;
    char bytes[65'536];
    const auto got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return;
    const auto* from = reinterpret_cast<const std::byte*>(bytes);
    bytes_.insert(bytes_.end(), from, from + got);
    take_whole();
  }
  // Records of 16 bytes and caplen behind a header of 24 (pcap-savefile(5)), little-endian, nanoseconds.
  void take_whole() {
    const auto number = [this](std::size_t at) {
      std::uint32_t value;
      std::memcpy(&value, bytes_.data() + at, sizeof value);
      return value;
    };
    if (at_ == 0 && bytes_.size() >= 24) {
      if (number(0) != 0xa1b23c4d || number(20) != 1) throw std::runtime_error("pcap-over-IP: it is no such pcap");
      at_ = 24;
    }
    while (at_ >= 24 && bytes_.size() >= at_ + 16 && bytes_.size() >= at_ + 16 + number(at_ + 8)) {
      const Timestamp time{number(at_) * std::uint64_t{1'000'000'000} + number(at_ + 4)};
      trace_.append(time, std::span(bytes_).subspan(at_ + 16, number(at_ + 8)), number(at_ + 12));
      at_ += 16 + number(at_ + 8);
    }
  }

  storage::FileDescriptor socket_;
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
  Trace trace_;
};

RigOptions telling() { return {.block_bytes = 16 << 10, .rotate_size = 256 << 10, .tells_readers = true}; }

std::vector<std::string> places(const SpoolRig& rig) { return {rig.directory(0).string()}; }

}  // namespace

TEST_CASE("who connects is sent all that is stored, then what a running capture stores, over its files") {
  const auto trace = make_trace({.kind = "mixed", .packets = 9'000});
  const TraceRefs refs(trace);
  const auto io = storage::make_pwrite_queue({});
  SpoolRig rig(telling(), *io);
  rig.feed(0, refs.span().first(3'000));
  rig.settle();
  Door door(places(rig));
  Stream first(door.port);
  const auto stored = rig.counters().stored.get();
  CHECK(first.read_until(stored).size() == stored);
  Stream second(door.port);
  for (std::size_t at = 3'000; at < 9'000; at += 1'000) {
    rig.feed(0, refs.span().subspan(at, 1'000));
    rig.settle();
    (void)first.read_until(rig.counters().stored.get());
  }
  rig.finish();
  rig.end_keepers();
  CHECK(compare_in_order(trace, first.read_until(9'000)) == "");
  CHECK(compare_in_order(trace, second.read_until(9'000)) == "");
}

TEST_CASE("from=now is only what is stored from then on") {
  const auto trace = make_trace({.kind = "mixed", .packets = 6'000});
  const TraceRefs refs(trace);
  const auto io = storage::make_pwrite_queue({});
  SpoolRig rig(telling(), *io);
  rig.feed(0, refs.span().first(3'000));
  rig.settle();
  Door door(places(rig), ",from=now");
  Stream stream(door.port);
  const auto before = rig.counters().stored.get();
  CHECK(stream.read_a_second().size() == 0);
  rig.feed(0, refs.span().subspan(3'000));
  rig.finish();
  rig.end_keepers();
  const auto& got = stream.read_until(trace.size() - before);
  CHECK(got.size() == trace.size() - before);
  CHECK(compare_as_subsequence(trace, got) == "");
}

TEST_CASE("/api/extract has what a running capture has stored so far, and the estimate counts it") {
  const auto trace = make_trace({.kind = "mixed", .packets = 3'000});
  const TraceRefs refs(trace);
  const auto io = storage::make_pwrite_queue({});
  SpoolRig rig(telling(), *io);
  rig.feed(0, refs.span());
  rig.settle();
  Door door(places(rig));
  const auto out = rig.directory(0).parent_path() / "out.pcap";
  REQUIRE(run_process(curl(door.serving.url("/api/extract"), {}, {"-f", "-o", out.string()})).ok());
  const auto stored = rig.counters().stored.get();
  CHECK(ask_tcpdump(out).packets == stored);
  const auto estimate = run_process(curl(door.serving.url("/api/estimate")));
  CHECK(estimate.out.find("\"packets_at_most\":" + std::to_string(stored)) != std::string::npos);
}

TEST_CASE("tshark reads it as TCP@host:port") {
  if (!have_program("tshark")) return skip("tshark", "it is not installed: apt-get install tshark");
  const KeptCapture capture;
  Door door({capture.directory.string()});
  const auto result = run_process({"tshark", "-i", "TCP@127.0.0.1:" + std::to_string(door.port), "-c", "1000", "-T",
                                   "fields", "-e", "frame.time_epoch"},
                                  Seconds(120));
  INFO(result.describe());
  if (result.err.find("don't have permission") != std::string::npos)
    return skip("tshark", "its dumpcap may not capture here");
  CHECK(std::ranges::count(result.out, '\n') == 1'000);
  CHECK(door.serving.line_with("pcap-over-ip", "the client has gone") != "");
}

TEST_CASE("a client that takes nothing is given up, and others are served meanwhile") {
  const KeptCapture capture(Layout::Index::time, 60'000);
  Door door({capture.directory.string()}, "", {"--clients", "2"});
  const Client stalled(door.port);
  REQUIRE(stalled.connected());
  Stream other(door.port);
  CHECK(other.read_until(60'000).size() == 60'000);
  CHECK(compare_in_order(capture.trace, other.read_until(60'000)) == "");
  const auto line = door.serving.line_with("pcap-over-ip", "broken-off=\"the client took nothing any more\"");
  CHECK(line.find("packets=") == std::string::npos);
  CHECK(line != "");
}

TEST_CASE("a client that sends something, as browsers do, is closed") {
  const KeptCapture capture(Layout::Index::time, 60'000);
  Door door({capture.directory.string()});
  const Client browser(door.port);
  REQUIRE(browser.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(door.serving.line_with("pcap-over-ip", "it sent something") != "");
}

TEST_CASE("SIGTERM ends the service while clients wait for packets") {
  const KeptCapture capture;
  Door door({capture.directory.string()});
  Stream waiting(door.port);
  CHECK(waiting.read_until(1'000).size() == 1'000);
  const auto ended = door.serving.stop();
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.find("broken-off=\"the service ends\"") != std::string::npos);
}

TEST_CASE("what is reached from elsewhere, or wants tokens, has no door without either") {
  const KeptCapture capture;
  const auto serve = [&capture](const Command& options) {
    Command words{std::getenv("WIRESPOOL"), "serve", capture.directory.string(), "--listen",
                  "127.0.0.1:" + std::to_string(free_port())};
    words.insert(words.end(), options.begin(), options.end());
    return run_process(words);
  };
  const auto elsewhere = serve({"--pcap-over-ip", "0.0.0.0:57012"});
  CHECK(elsewhere.exit_code == 1);
  CHECK(elsewhere.err.find("neither encrypts nor asks") != std::string::npos);
  const auto tokens = capture.temp / "tokens";
  std::ofstream(tokens) << "0123456789abcdef0123456789abcdef\n";
  fs::permissions(tokens, fs::perms::owner_read | fs::perms::owner_write);
  const auto around = serve({"--pcap-over-ip", ":57012", "--token-file", tokens.string()});
  CHECK(around.exit_code == 1);
  CHECK(around.err.find("wants a token or a certificate") != std::string::npos);
  CHECK(serve({"--pcap-over-ip", ":57012,from=then"}).exit_code == 1);
}
