// SPDX-License-Identifier: BSD-3-Clause
#include "tools/extract.hpp"

#include <sys/stat.h>
#include <algorithm>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "format/community_id.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/outside_tools.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/random.hpp"
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
    options.outputs = {(directory / "out").string()};
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
  CHECK(same(rig.trace, read_pcap(rig.options.outputs.front())) == "");
  if (!missing_outside_tools().empty()) return;
  const auto opinion = ask_capinfos(rig.options.outputs.front());
  CHECK(opinion.packets == rig.trace.size());
  CHECK(opinion.nanoseconds);
  CHECK(opinion.in_time_order);
  CHECK(ask_tshark(rig.options.outputs.front()).packets == rig.trace.size());
}

TEST_CASE("pcapng out is the same to outside tools") {
  Rig rig;
  rig.options.format = OutputFormat::pcapng;
  REQUIRE(tools::extract(rig.options));
  CHECK(same(rig.trace, read_pcap(rig.options.outputs.front())) == "");
  if (!missing_outside_tools().empty()) return;
  CHECK(ask_tshark(rig.options.outputs.front()).packets == rig.trace.size());
}

TEST_CASE("--packets ends after that many, --from and --to and --filter choose") {
  Rig rig;
  rig.options.packets = 10;
  CHECK(tools::extract(rig.options)->packets == 10);
  rig.options.packets = 1'000'000;
  rig.options.from = rig.trace[500].time;
  rig.options.to = rig.trace[600].time;
  CHECK(tools::extract(rig.options)->packets == 100);
  rig.options.filters = {"ip6"};
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
  rig.options.filters = {"host 203.0.113.77"};
  for (const auto format : {OutputFormat::pcap, OutputFormat::pcapng}) {
    rig.options.format = format;
    CHECK(tools::extract(rig.options)->packets == 0);
    CHECK(read_pcap(rig.options.outputs.front()).size() == 0);
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
  rig.options.filters = {"hots 1.2.3.4"};
  const auto refused = tools::extract(rig.options);
  CHECK(refused.error().kind == Error::Kind::wrong_use);
  CHECK(refused.error().message().find("--filter: ") == 0);
  rig.options.filters.clear();
  rig.options.places = {rig.directory.str() + "/none"};
  CHECK(tools::extract(rig.options).error().kind == Error::Kind::wrong_use);
  CHECK_FALSE(std::filesystem::exists(rig.options.outputs.front()));
}

TEST_CASE("a file that is read is never written over") {
  Rig rig(10);
  const auto input = rig.directory / "input.pcap";
  write_bytes(input, pcap_bytes(rig.trace));
  std::filesystem::create_hard_link(input, rig.directory / "link.pcap");
  rig.options.places = {input.string()};
  for (const auto name : {"input.pcap", "link.pcap"}) {
    rig.options.outputs = {(rig.directory / name).string()};
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
  auto file = SpoolFile::open(rig.options.outputs.front());
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
  rig.options.outputs = {pipe.string()};
  const auto report = tools::extract(rig.options);
  reader.join();
  std::signal(SIGPIPE, before);
  REQUIRE(report);
  CHECK(report->closed);
}

TEST_CASE("several filters and outputs are served in one pass, and a packet of two goes into both") {
  Rig rig;
  const auto udp = rig.directory / "udp.pcap", six = rig.directory / "six.pcap", big = rig.directory / "big.pcap";
  rig.options.outputs = {udp.string(), six.string(), big.string()};
  rig.options.filters = {"udp", "ip6", "greater 500"};
  const auto report = tools::extract(rig.options);
  REQUIRE(report);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    auto alone = rig.options;
    alone.outputs = {(rig.directory / "alone.pcap").string()};
    alone.filters = {rig.options.filters[i]};
    REQUIRE(tools::extract(alone));
    CHECK(same(read_pcap(alone.outputs.front()), read_pcap(rig.options.outputs[i])) == "");
    CHECK(report->outputs[i].packets == read_pcap(rig.options.outputs[i]).size());
    CHECK(report->outputs[i].packets > 0);
    sum += report->outputs[i].packets;
  }
  CHECK(report->packets == sum);
  CHECK(sum > rig.trace.size() / 2);
  rig.options.packets = 5;
  CHECK(tools::extract(rig.options)->packets == 15);
}

TEST_CASE("outputs and filters that are no pairs are refused, and nothing is made") {
  Rig rig(10);
  const auto a = (rig.directory / "a.pcap").string(), b = (rig.directory / "b.pcap").string();
  const auto refused = [&rig](std::vector<std::string> filters, std::vector<std::string> outputs) {
    rig.options.filters = std::move(filters);
    rig.options.outputs = std::move(outputs);
    const auto report = tools::extract(rig.options);
    return !report && report.error().what == "-w";
  };
  CHECK(refused({}, {a, b}));
  CHECK(refused({"udp"}, {a, b}));
  CHECK(refused({"udp", "tcp"}, {a}));
  CHECK(refused({"udp", "tcp"}, {}));
  CHECK_FALSE(std::filesystem::exists(a));
}

TEST_CASE("two outputs of one file are refused before anything is made or emptied, by whatever name") {
  Rig rig(100);
  const auto there = rig.directory / "there.pcap", fresh = rig.directory / "fresh.pcap";
  write_bytes(there, pcap_bytes(rig.trace));
  const auto before = read_bytes(there);
  std::filesystem::create_symlink(there, rig.directory / "link.pcap");
  rig.options.filters = {"udp", "tcp"};
  const auto directory = rig.directory.str();
  const std::vector<std::pair<std::string, std::string>> pairs{{there, directory + "/./there.pcap"},
                                                               {there, directory + "/link.pcap"},
                                                               {fresh, directory + "/a/../fresh.pcap"},
                                                               {"-", "-"}};
  for (const auto& [one, other] : pairs) {
    CAPTURE(one, other);
    rig.options.outputs = {one, other};
    const auto refused = tools::extract(rig.options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == Error::Kind::wrong_use);
    CHECK(refused.error().why == "two outputs would go to one file");
    CHECK(read_bytes(there) == before);
    CHECK_FALSE(std::filesystem::exists(fresh));
  }
}

TEST_CASE("an output that is refused leaves the others as they were") {
  Rig rig(10);
  const auto there = rig.directory / "there.pcap", input = rig.directory / "input.pcap";
  write_bytes(there, pcap_bytes(rig.trace));
  write_bytes(input, pcap_bytes(rig.trace));
  rig.options.places = {input.string()};
  rig.options.filters = {"udp", "tcp"};
  rig.options.outputs = {there.string(), input.string()};
  CHECK(tools::extract(rig.options).error().why == "it is one of the files to read");
  CHECK(read_bytes(there) == pcap_bytes(rig.trace));
  CHECK(read_bytes(input) == pcap_bytes(rig.trace));
}

namespace {

// Files of a split, in order; empty if there are others in the directory.
std::vector<std::filesystem::path> parts_of(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> parts;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().rfind("all_", 0) != 0) return {};
    parts.push_back(entry.path());
  }
  std::ranges::sort(parts);
  return parts;
}

Trace joined(const std::vector<std::filesystem::path>& parts) {
  Trace all;
  for (const auto& part : parts) {
    const auto trace = read_pcap(part);
    for (std::size_t i = 0; i < trace.size(); ++i) all.append(trace[i]);
  }
  return all;
}

}  // namespace

TEST_CASE("--split-size makes files that are never longer, whole and in order, in both formats") {
  Rig rig;
  for (const auto format : {OutputFormat::pcap, OutputFormat::pcapng}) {
    const auto to = rig.directory / (format == OutputFormat::pcap ? "p" : "n");
    std::filesystem::create_directory(to);
    rig.options.format = format;
    rig.options.outputs = {(to / "all.pcap").string()};
    rig.options.split_bytes = 50'000;
    const auto report = tools::extract(rig.options);
    REQUIRE(report);
    const auto parts = parts_of(to);
    REQUIRE(parts.size() > 3);
    CHECK(report->outputs.front().files == parts.size());
    for (const auto& part : parts) {
      CHECK(std::filesystem::file_size(part) <= 50'000);
      if (part != parts.back()) CHECK(std::filesystem::file_size(part) > 50'000 - 1600);
      if (have_program("capinfos")) CHECK(ask_capinfos(part).in_time_order);
    }
    CHECK(same(rig.trace, joined(parts)) == "");
  }
}

TEST_CASE("a packet longer than --split-size has a file for itself") {
  Rig rig(20, "590");
  const auto to = rig.directory / "parts";
  std::filesystem::create_directory(to);
  rig.options.outputs = {(to / "all.pcap").string()};
  rig.options.split_bytes = 100;
  REQUIRE(tools::extract(rig.options));
  const auto parts = parts_of(to);
  CHECK(parts.size() == 20);
  CHECK(same(rig.trace, joined(parts)) == "");
}

TEST_CASE("--split-time makes the files that editcap makes, named alike") {
  if (!have_program("editcap")) {
    WARN("editcap is not installed");
    return;
  }
  Rig rig(10);
  Trace slow;
  Random random(5);
  std::uint64_t time = 1'767'225'600'000'000'000;
  for (std::size_t i = 0; i < 600; ++i) {
    const auto packet = rig.trace[i % rig.trace.size()];
    slow.append(Timestamp{time}, packet.bytes, packet.wirelen);
    time += 1 + random.below(99'000'000);
  }
  const auto input = rig.directory / "slow.pcap", ours = rig.directory / "ours", theirs = rig.directory / "theirs";
  write_pcap(slow, input);
  std::filesystem::create_directory(ours);
  std::filesystem::create_directory(theirs);
  rig.options.places = {input.string()};
  rig.options.outputs = {(ours / "all.pcap").string()};
  rig.options.split_ns = 3'000'000'000;
  REQUIRE(tools::extract(rig.options));
  ::setenv("TZ", "UTC", 1);
  REQUIRE(run_process({"editcap", "-F", "nsecpcap", "-i", "3", input, theirs / "all.pcap"}).ok());
  const auto a = parts_of(ours), b = parts_of(theirs);
  REQUIRE(a.size() == b.size());
  CHECK(a.size() > 5);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].filename() == b[i].filename());
    CHECK(same(read_pcap(b[i]), read_pcap(a[i])) == "");
  }
}

TEST_CASE("a pause of the packets makes no empty file, and files go on at multiples of --split-time") {
  Rig rig(4);
  Trace trace;
  for (const auto second : {100, 101, 145, 149})
    trace.append(Timestamp{static_cast<std::uint64_t>(second) * 1'000'000'000}, rig.trace[0].bytes,
                 rig.trace[0].wirelen);
  const auto input = rig.directory / "in.pcap", to = rig.directory / "parts";
  write_pcap(trace, input);
  std::filesystem::create_directory(to);
  rig.options.places = {input.string()};
  rig.options.outputs = {(to / "all.pcap").string()};
  rig.options.split_ns = 10'000'000'000;
  REQUIRE(tools::extract(rig.options));
  const auto parts = parts_of(to);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].filename() == "all_00000_19700101000140.pcap");
  CHECK(parts[1].filename() == "all_00001_19700101000225.pcap");
  CHECK(read_pcap(parts[1]).size() == 2);
}

TEST_CASE("a split of no packets is one file without any, and one that fails leaves no part behind") {
  Rig rig(10);
  const auto to = rig.directory / "parts";
  std::filesystem::create_directory(to);
  rig.options.outputs = {(to / "all.pcap").string()};
  rig.options.split_bytes = 1000;
  rig.options.filters = {"host 203.0.113.77"};
  REQUIRE(tools::extract(rig.options));
  REQUIRE(parts_of(to).size() == 1);
  CHECK(parts_of(to).front().filename() == "all_00000.pcap");
  CHECK(read_pcap(parts_of(to).front()).size() == 0);
  std::filesystem::create_directory(to / "all_00000.pcap.d");
  std::filesystem::remove(to / "all_00000.pcap");
  std::filesystem::rename(to / "all_00000.pcap.d", to / "all_00000.pcap");
  const auto refused = tools::extract(rig.options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Error::Kind::not_ready);
  CHECK(parts_of(to).size() == 1);
}

TEST_CASE("a part of a split replaces a file of its name once it is whole, and nothing hidden stays") {
  Rig rig(20, "590");
  const auto to = rig.directory / "parts";
  std::filesystem::create_directory(to);
  rig.options.outputs = {(to / "all.pcap").string()};
  rig.options.split_bytes = 5000;
  REQUIRE(tools::extract(rig.options));
  const auto parts = parts_of(to);
  REQUIRE(parts.size() > 1);
  write_bytes(parts[0], pcap_bytes({}));
  write_bytes(parts[1], std::vector<std::byte>(100'000));
  REQUIRE(tools::extract(rig.options));
  CHECK(parts_of(to) == parts);
  CHECK(same(rig.trace, joined(parts)) == "");
}

TEST_CASE("what cannot be split is refused: standard output, a pipe, a device") {
  Rig rig(10);
  rig.options.split_bytes = 1000;
  for (const auto* output : {"-", "/dev/null", "/tmp"}) {
    rig.options.outputs = {output};
    const auto refused = tools::extract(rig.options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().why == "only a file can be split");
  }
}

TEST_CASE("a part of a split is never written over a file that is read") {
  Rig rig(10);
  const auto input = rig.directory / "all_00000_20260101000000.pcap";
  write_bytes(input, pcap_bytes(rig.trace));
  rig.options.places = {input.string()};
  rig.options.outputs = {(rig.directory / "all.pcap").string()};
  rig.options.split_bytes = 1000;
  const auto refused = tools::extract(rig.options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().why == "it is one of the files to read");
  CHECK(read_bytes(input) == pcap_bytes(rig.trace));
}

TEST_CASE("--flow and --community-id choose the same packets, and wrong ones are refused by name") {
  Rig rig(3000, "imix");
  const auto layer = format::outer_layer(rig.trace[7].bytes, 1);
  REQUIRE(layer);
  const auto ends = format::flow_ends(rig.trace[7].bytes, *layer);
  REQUIRE(ends);
  REQUIRE_FALSE(ends->is_ipv6);
  const auto text = [&ends](std::size_t end) {
    const auto address = ends->addresses[end].low;
    return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
           std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255) + ":" +
           std::to_string(ends->ports[end]);
  };
  rig.options.flow = text(0) + " <> " + text(1);
  REQUIRE(tools::extract(rig.options));
  const auto by_flow = read_pcap(rig.options.outputs.front());
  CHECK(by_flow.size() > 0);
  CHECK(by_flow.size() < rig.trace.size());
  rig.options.flow.clear();
  rig.options.community_id = format::community_id(*ends)->text();
  REQUIRE(tools::extract(rig.options));
  CHECK(same(by_flow, read_pcap(rig.options.outputs.front())) == "");
  rig.options.flow = text(1) + " > " + text(0);
  REQUIRE(tools::extract(rig.options));
  CHECK(read_pcap(rig.options.outputs.front()).size() < by_flow.size());
  for (const auto* wrong : {"10.0.0.1:80", "10.0.0.1 > 10.0.0.2", "10.0.0.1:80 > [::1]:80", "a:1 > b:2", "> 10.0.0.1:1",
                            "10.0.0.1:65536 > 10.0.0.2:1", "10.0.0.1:1 >> 10.0.0.2:1", "::1:80 > ::2:80"}) {
    CAPTURE(wrong);
    rig.options.flow = wrong;
    const auto refused = tools::extract(rig.options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == "--flow");
  }
  rig.options.flow.clear();
  rig.options.community_id = "2:LQU9qZlK+B5F3KDmev6m5PMibrg=";
  CHECK(tools::extract(rig.options).error().what == "--community-id");
}

TEST_CASE("--slice keeps headers up to a layer, or so many bytes, and the length that was on the wire") {
  Rig rig(500, "imix");
  for (const auto* slice : {"l2", "l3", "l4", "60", "20"}) {
    CAPTURE(slice);
    rig.options.slice = format::slice_of(slice);
    REQUIRE(tools::extract(rig.options));
    const auto out = read_pcap(rig.options.outputs.front());
    REQUIRE(out.size() == rig.trace.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto whole = rig.trace[i], cut = out[i];
      const auto bytes = rig.options.slice->layer ? format::header_end(whole.bytes, *rig.options.slice->layer)
                                                  : rig.options.slice->bytes;
      REQUIRE(cut.wirelen == whole.wirelen);
      REQUIRE(std::ranges::equal(cut.bytes, whole.bytes.first(std::min<std::size_t>(bytes, whole.bytes.size()))));
    }
  }
}

TEST_CASE("layers are not known of other link types: their packets stay whole, and that is told") {
  Rig rig(10);
  const auto raw = rig.directory / "r.pcap";
  write_bytes(raw, pcap_bytes(rig.trace, {false, false, 101, 65535}));
  rig.options.places = {raw.string()};
  rig.options.slice = format::slice_of("l4");
  const auto report = tools::extract(rig.options);
  REQUIRE(report);
  CHECK(same(rig.trace, read_pcap(rig.options.outputs.front())) == "");
  CHECK(std::ranges::any_of(report->notices, [](const auto& notice) {
    return notice.find("10 packets of other link types than Ethernet are whole") != std::string::npos;
  }));
  rig.options.slice = format::slice_of("14");
  REQUIRE(tools::extract(rig.options));
  CHECK(read_pcap(rig.options.outputs.front())[0].caplen() == 14);
}

TEST_CASE("a full drive is told, not swallowed") {
  Rig rig(100);
  rig.options.outputs = {"/dev/full"};
  const auto report = tools::extract(rig.options);
  REQUIRE_FALSE(report);
  CHECK(report.error().kind == Error::Kind::not_ready);
  CHECK(report.error().why == "No space left on device");
}

TEST_CASE("an extraction is known to be possible before anything of it is written, to whoever takes it") {
  Rig rig(500);
  std::string taken;
  rig.options.outputs.clear();
  rig.options.sink = [&](std::span<const std::byte> bytes) {
    taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  };
  auto extraction = tools::Extraction::prepare(rig.options);
  REQUIRE(extraction);
  CHECK(taken.empty());
  const auto report = extraction->run();
  REQUIRE(report);
  CHECK(report->packets == 500);
  const auto path = rig.directory / "taken.pcap";
  std::ofstream(path, std::ios::binary) << taken;
  CHECK(same(rig.trace, read_pcap(path)) == "");
  rig.options.filters = {"no filter"};
  CHECK_FALSE(tools::Extraction::prepare(rig.options));
}

TEST_CASE("who takes a stream may have enough of it, and whoever asked may stop it: neither looks like an end") {
  Rig rig(5000);
  std::atomic<bool> stop{false};
  int pieces = 0;
  rig.options.outputs.clear();
  rig.options.stop = &stop;
  rig.options.sink = [&](std::span<const std::byte>) { return ++pieces < 2; };
  const auto enough = tools::extract(rig.options);
  REQUIRE(enough);
  CHECK(enough->closed);
  CHECK(pieces == 2);
  stop = true;
  pieces = 0;
  const auto stopped = tools::extract(rig.options);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().why == "it was stopped before its end");
  CHECK(pieces == 0);
}
