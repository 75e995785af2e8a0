// SPDX-License-Identifier: BSD-3-Clause
#include "tools/extract.hpp"

#include <sys/stat.h>
#include <algorithm>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/outside_tools.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
using tools::ExtractOptions;
using tools::OutputFormat;

namespace {

struct Rig {
  TempDir directory;
  Trace trace;
  ExtractOptions options;

  explicit Rig(std::uint64_t packets = 2000, const std::string& kind = "mixed") {
    TraceSpec spec;
    spec.kind = kind;
    spec.packets = packets;
    trace = make_trace(spec);
    Layout layout;
    layout.directories = {directory / "a", directory / "b", directory / "c"};
    for (const auto& path : layout.directories) {
      std::filesystem::create_directory(path);
      options.places.push_back(path.string());
    }
    layout.index = Layout::Index::flow;
    lay_out(trace, layout);
    options.output = (directory / "out").string();
  }
};

std::string same(const Trace& expected, const Trace& actual) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    if (expected[i].time != actual[i].time) return "the time of packet " + std::to_string(i);
  }
  return compare_in_order(expected, actual);
}

}  // namespace

TEST_CASE("extract gives one time-ordered pcap that libpcap, tshark and capinfos understand") {
  Rig rig;
  const auto report = tools::extract(rig.options);
  REQUIRE(report);
  CHECK(report->packets == rig.trace.size());
  CHECK(report->bytes == rig.trace.bytes());
  CHECK(same(rig.trace, read_pcap(rig.options.output)) == "");
  if (!missing_outside_tools().empty()) return;
  const auto opinion = ask_capinfos(rig.options.output);
  CHECK(opinion.packets == rig.trace.size());
  CHECK(opinion.nanoseconds);
  CHECK(opinion.in_time_order);
  CHECK(ask_tshark(rig.options.output).packets == rig.trace.size());
}

TEST_CASE("pcapng out is the same to outside tools") {
  Rig rig;
  rig.options.format = OutputFormat::pcapng;
  REQUIRE(tools::extract(rig.options));
  CHECK(same(rig.trace, read_pcap(rig.options.output)) == "");
  if (!missing_outside_tools().empty()) return;
  CHECK(ask_tshark(rig.options.output).packets == rig.trace.size());
}

TEST_CASE("--packets ends after that many, --from and --to and --filter choose") {
  Rig rig;
  rig.options.packets = 10;
  CHECK(tools::extract(rig.options)->packets == 10);
  rig.options.packets = 1'000'000;
  rig.options.from = rig.trace[500].time;
  rig.options.to = rig.trace[600].time;
  CHECK(tools::extract(rig.options)->packets == 100);
  rig.options.filter = "ip6";
  const auto report = tools::extract(rig.options);
  std::uint64_t expected = 0;
  for (std::size_t i = 500; i < 600; ++i) {
    const auto bytes = rig.trace[i].bytes;
    expected += bytes.size() >= 14 && bytes[12] == std::byte{0x86} && bytes[13] == std::byte{0xdd} ? 1 : 0;
  }
  CHECK(report->packets == expected);
}

TEST_CASE("nothing found is a valid file without packets, in both formats") {
  Rig rig(100);
  rig.options.filter = "host 203.0.113.77";
  for (const auto format : {OutputFormat::pcap, OutputFormat::pcapng}) {
    rig.options.format = format;
    CHECK(tools::extract(rig.options)->packets == 0);
    CHECK(read_pcap(rig.options.output).size() == 0);
  }
}

TEST_CASE("a time that no file is of is told: -10m counts from a clock that need not be the capture's") {
  Rig rig;
  const auto told = [&rig] {
    const auto report = tools::extract(rig.options);
    REQUIRE(report);
    return std::ranges::any_of(report->notices, [](const auto& notice) {
      return notice.find("no packet is of the time asked for") != std::string::npos;
    });
  };
  const auto first = rig.trace[0].time, last = rig.trace[rig.trace.size() - 1].time;
  rig.options.from = last;
  CHECK_FALSE(told());
  rig.options.from = Timestamp{last.ns + 1};
  CHECK(told());
  rig.options.from = Timestamp{0};
  rig.options.to = first;
  CHECK(told());
  rig.options.to = Timestamp{first.ns + 1};
  CHECK_FALSE(told());
}

TEST_CASE("a filter that libpcap refuses, and a place that is not there, are wrong use; nothing is written") {
  Rig rig(10);
  rig.options.filter = "hots 1.2.3.4";
  const auto refused = tools::extract(rig.options);
  CHECK(refused.error().kind == Error::Kind::wrong_use);
  CHECK(refused.error().message().find("--filter: ") == 0);
  rig.options.filter.clear();
  rig.options.places = {rig.directory.str() + "/none"};
  CHECK(tools::extract(rig.options).error().kind == Error::Kind::wrong_use);
  CHECK_FALSE(std::filesystem::exists(rig.options.output));
}

TEST_CASE("a file that is read is never written over") {
  Rig rig(10);
  const auto input = rig.directory / "input.pcap";
  write_bytes(input, pcap_bytes(rig.trace));
  std::filesystem::create_hard_link(input, rig.directory / "link.pcap");
  rig.options.places = {input.string()};
  for (const auto name : {"input.pcap", "link.pcap"}) {
    rig.options.output = (rig.directory / name).string();
    CHECK(tools::extract(rig.options).error().kind == Error::Kind::wrong_use);
  }
  CHECK(read_bytes(input) == pcap_bytes(rig.trace));
}

TEST_CASE("files of several link types go into pcapng, and not into pcap") {
  Rig rig(10);
  const auto ethernet = rig.directory / "e.pcap", raw = rig.directory / "r.pcap";
  write_bytes(ethernet, pcap_bytes(rig.trace));
  write_bytes(raw, pcap_bytes(rig.trace, {false, false, 101, 65535}));
  rig.options.places = {ethernet.string(), raw.string()};
  const auto refused = tools::extract(rig.options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what_to_do == "use --format pcapng");
  rig.options.format = OutputFormat::pcapng;
  CHECK(tools::extract(rig.options)->packets == 20);
  auto file = SpoolFile::open(rig.options.output);
  std::uint64_t raws = 0;
  while (const auto* packet = file->next()) raws += packet->linktype == 101 ? 1 : 0;
  CHECK(raws == 10);
}

TEST_CASE("a pipe that nobody reads any more ends it quietly") {
  Rig rig(20'000, "590");
  const auto pipe = rig.directory / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  std::thread reader([&pipe] {
    std::ifstream in(pipe);
    char bytes[1000];
    in.read(bytes, sizeof bytes);
  });
  rig.options.output = pipe.string();
  const auto report = tools::extract(rig.options);
  reader.join();
  std::signal(SIGPIPE, before);
  REQUIRE(report);
  CHECK(report->closed);
}

TEST_CASE("a full drive is told, not swallowed") {
  Rig rig(100);
  rig.options.output = "/dev/full";
  const auto report = tools::extract(rig.options);
  REQUIRE_FALSE(report);
  CHECK(report.error().kind == Error::Kind::not_ready);
  CHECK(report.error().why == "No space left on device");
}
