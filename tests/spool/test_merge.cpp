// SPDX-License-Identifier: BSD-3-Clause
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <random>
#include <ranges>
#include <utility>

#include "read/index_store.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

Trace trace_of(std::uint64_t packets, const std::string& kind = "mixed") {
  TraceSpec spec;
  spec.kind = kind;
  spec.packets = packets;
  return make_trace(spec);
}

std::string same(const Trace& expected, const Trace& actual) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    if (expected[i].time != actual[i].time) return "the time of packet " + std::to_string(i);
  }
  return compare_in_order(expected, actual);
}

struct Drives {
  TempDir directory;
  Layout layout;
  explicit Drives(unsigned drives = 3) {
    for (unsigned i = 0; i < drives; ++i) {
      layout.directories.push_back(directory / ("d" + std::to_string(i)));
      std::filesystem::create_directory(layout.directories.back());
    }
  }
  std::vector<std::string> places() const {
    std::vector<std::string> places;
    for (const auto& path : layout.directories) places.push_back(path.string());
    return places;
  }
};

// Fewer descriptors than files, for as long as a test runs.
struct DescriptorLimit {
  rlimit before{};
  explicit DescriptorLimit(rlim_t most) {
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit limit{most, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before); }
};

}  // namespace

TEST_CASE("a trace laid out over drives, streams and files comes back as it was") {
  const auto trace = trace_of(5000);
  for (const auto index : {Layout::Index::none, Layout::Index::time, Layout::Index::flow}) {
    for (const unsigned drives : {1u, 3u}) {
      for (const unsigned streams : {1u, 2u, 5u}) {
        Drives rig(drives);
        rig.layout.streams = streams;
        rig.layout.index = index;
        lay_out(trace, rig.layout);
        CHECK(same(trace, query(rig.places())) == "");
      }
    }
  }
}

TEST_CASE("packets of one time keep the order of their Stream, over drives and files") {
  TraceSpec spec;
  spec.packets = 4000;
  const auto original = make_trace(spec);
  Trace trace;
  // Ten packets of each time: more than a Block's end ever falls between.
  for (std::size_t i = 0; i < original.size(); ++i) {
    trace.append(Timestamp{spec.start.ns + 1000 * (i / 10)}, original[i].bytes, original[i].wirelen);
  }
  Drives rig;
  rig.layout.streams = 1;
  rig.layout.block_bytes = 16384;
  lay_out(trace, rig.layout);
  CHECK(same(trace, query(rig.places())) == "");
}

TEST_CASE("a time range is what lies in it, its end not included, with an index and without") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = trace_of(3000);
  Drives rig;
  rig.layout.index = Layout::Index::time;
  lay_out(trace, rig.layout);
  for (int round = 0; round < 40; ++round) {
    auto from = random.below(trace.size()), to = random.below(trace.size());
    if (from > to) std::swap(from, to);
    Trace expected;
    for (auto i = from; i < to; ++i) expected.append(trace[i]);
    for (const bool use_index : {true, false}) {
      Query wanted;
      wanted.from = trace[from].time;
      wanted.to = trace[to].time;
      wanted.use_index = use_index;
      REQUIRE(same(expected, query(rig.places(), wanted)) == "");
    }
  }
}

TEST_CASE("a time range reads only the Blocks that it touches") {
  const auto trace = trace_of(5000, "590");
  Drives rig(1);
  rig.layout.streams = 1;
  rig.layout.block_bytes = 65536;
  rig.layout.blocks_per_file = 1000;
  lay_out(trace, rig.layout);
  const auto spool = Spool::open(rig.places());
  Query wanted;
  wanted.from = trace[1000].time;
  wanted.to = trace[1010].time;
  Merge merge(*spool, wanted);
  CHECK(read_all(merge).size() == 10);
  const auto progress = merge.progress();
  CHECK(progress.bytes_left_out > progress.bytes_in_all - 3 * 65536);
  CHECK(progress.bytes_read < 3 * 65536);
}

TEST_CASE("files are opened when their time comes, not before") {
  const auto trace = trace_of(20'000, "60");
  Drives rig(2);
  rig.layout.streams = 2;
  rig.layout.blocks_per_file = 2;
  const auto paths = lay_out(trace, rig.layout);
  REQUIRE(paths.size() > 100);
  const auto spool = Spool::open(rig.places());
  Merge merge(*spool, {});
  CHECK(same(trace, read_all(merge)) == "");
  CHECK(merge.progress().files_opened == paths.size());
  CHECK(merge.progress().most_files_at_once <= 8);
}

TEST_CASE("thousands of files that all overlap are read with few descriptors and little memory") {
  constexpr std::size_t files = 2000;
  TempDir directory;
  const auto trace = trace_of(10 * files, "60");
  std::vector<Trace> parts(files);
  for (std::size_t i = 0; i < trace.size(); ++i) parts[i % files].append(trace[i]);
  std::vector<std::string> places;
  for (std::size_t i = 0; i < files; ++i) {
    places.push_back((directory / (std::to_string(i) + ".pcap")).string());
    write_bytes(places.back(), pcap_bytes(parts[i]));
  }
  const DescriptorLimit limit(100);
  CHECK(same(trace, query(places)) == "");
}

TEST_CASE("pcap of any dialect and pcapng are merged with SpoolFiles") {
  const auto trace = trace_of(300);
  TempDir directory;
  std::vector<Trace> parts(3);
  Trace rounded;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const Timestamp time{trace[0].time.ns / 1000 * 1000 + 1000 * i};
    rounded.append(time, trace[i].bytes, trace[i].wirelen);
    parts[i % 3].append(time, trace[i].bytes, trace[i].wirelen);
  }
  const auto path = [&](const char* name) { return (directory / name).string(); };
  write_bytes(path("a.pcap"), pcap_bytes(parts[0], {true, true, 1, 65535}));
  write_bytes(path("b.pcapng"), pcapng_bytes(parts[1]));
  write_bytes(path("c.pcap"), pcap_bytes(parts[2]));
  CHECK(same(rounded, query({path("a.pcap"), path("b.pcapng"), path("c.pcap")})) == "");
}

TEST_CASE("a directory gives its sealed files only, and says what it left out") {
  const auto trace = trace_of(500);
  Drives rig(1);
  rig.layout.streams = 1;
  lay_out(trace, rig.layout);
  const auto here = rig.layout.directories[0];
  write_bytes(here / "foreign.pcap", pcap_bytes(trace));
  write_bytes(here / ".t-20260101T000000.000000000Z-w00-000099.pcap.open", pcap_bytes(trace));
  write_bytes(here / "t-20260101T000000.000000000Z.capture.json", {});
  const auto spool = Spool::open({here.string()});
  Merge merge(*spool, {});
  CHECK(same(trace, read_all(merge)) == "");
  REQUIRE(spool->notices().size() == 1);
  CHECK(spool->notices()[0].find("1 capture files") != std::string::npos);
  REQUIRE(spool->captures().size() == 1);
  CHECK(spool->capture_of(spool->files()[0]) == &spool->captures()[0]);
}

TEST_CASE("a file named twice is read once") {
  const auto trace = trace_of(200);
  Drives rig(1);
  auto places = lay_out(trace, rig.layout);
  places.push_back(rig.layout.directories[0].string());
  places.push_back(places.front());
  CHECK(same(trace, query(places)) == "");
}

TEST_CASE("a damaged, newer or foreign index is ignored with a word about it") {
  const auto trace = trace_of(500);
  Drives rig(1);
  rig.layout.streams = 1;
  rig.layout.blocks_per_file = 1000;
  const auto pcap = lay_out(trace, rig.layout).at(0);
  const auto idx = read::index_path(pcap);
  const auto good = read_bytes(idx);
  Query wanted;
  wanted.from = trace[100].time;
  wanted.to = trace[200].time;
  const auto read_with = [&](std::vector<std::byte> index) {
    write_bytes(idx, index);
    const auto spool = Spool::open({pcap});
    Merge merge(*spool, wanted);
    CHECK(read_all(merge).size() == 100);
    return spool->notices().size() + merge.notices().size();
  };
  CHECK(read_with(good) == 0);
  auto damaged = good;
  damaged.back() ^= std::byte{1};
  CHECK(read_with(damaged) == 1);
  auto newer = good;
  newer[8] = std::byte{9};
  CHECK(read_with(newer) == 1);
  CHECK(read_with({good.begin(), good.begin() + 100}) == 1);
  CHECK(read_with({}) == 1);
  // Whole and of the right length, but of a file with other packets.
  const auto own = read_bytes(pcap);
  const auto other = trace_of(500, "60");
  auto bytes = pcap_bytes(other);
  bytes.resize(own.size());
  write_bytes(pcap, bytes);
  make_index(pcap, format::IndexLevel::time, 4096);
  const auto foreign = read_bytes(idx);
  write_bytes(pcap, own);
  CHECK(read_with(foreign) == 1);
}

TEST_CASE("a file that cannot be read to its end does not keep the others from being read") {
  const auto trace = trace_of(1000);
  Drives rig(2);
  rig.layout.index = Layout::Index::none;
  const auto paths = lay_out(trace, rig.layout);
  auto bytes = read_bytes(paths[0]);
  bytes.resize(bytes.size() - 1);
  write_bytes(paths[0], bytes);
  write_bytes(paths[1], {});
  const auto spool = Spool::open(rig.places());
  Merge merge(*spool, {});
  const auto packets = read_all(merge);
  CHECK(compare_as_subsequence(trace, packets) == "");
  CHECK(packets.size() > 500);
  CHECK(merge.problems().size() == 2);
}

TEST_CASE("a merge is a range: every packet once, in order, and a second loop goes on behind the first") {
  static_assert(std::ranges::input_range<Merge>);
  const auto trace = trace_of(600);
  Drives rig;
  lay_out(trace, rig.layout);
  const auto spool = Spool::open(rig.places());
  Merge merge(*spool);
  Trace packets;
  for (const auto& packet : merge) {
    packets.append(packet.view);
    if (packets.size() == 100) break;
  }
  for (const auto& packet : merge) packets.append(packet.view);
  CHECK(same(trace, packets) == "");
  CHECK(merge.begin() == merge.end());
  CHECK(merge.outcome());
}

TEST_CASE("algorithms of std::ranges take a merge") {
  const auto trace = trace_of(300);
  Drives rig;
  lay_out(trace, rig.layout);
  const auto spool = Spool::open(rig.places());
  Merge merge(*spool);
  const auto at_least_60 = [](const StoredPacket& packet) { return packet.view.caplen() >= 60; };
  std::int64_t expected = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) expected += trace[i].caplen() >= 60 ? 1 : 0;
  CHECK(std::ranges::count_if(merge, at_least_60) == expected);
}

TEST_CASE("a merge made of a Spool, a Query and a Filter that are gone reads on") {
  const auto trace = trace_of(600);
  Drives rig;
  rig.layout.index = Layout::Index::flow;
  lay_out(trace, rig.layout);
  const auto make = [&rig] {
    Query all;
    all.filter = *Filter::compile("len >= 0");
    return Merge(*Spool::open(rig.places()), std::move(all));
  };
  auto merge = make();
  CHECK(same(trace, read_all(merge)) == "");
  Trace packets;
  for (const auto& packet : Merge(*Spool::open(rig.places()), Query{})) packets.append(packet.view);
  CHECK(same(trace, packets) == "");
}

// What a temporary hands out would be gone at the end of the line.
template <class T>
concept gives_files = requires(T spool) {
  std::forward<T>(spool).files();
};
template <class T>
concept gives_problems = requires(T merge) {
  std::forward<T>(merge).problems();
};
static_assert(gives_files<const Spool&> && !gives_files<Spool> && !gives_files<const Spool>);
static_assert(gives_problems<const Merge&> && !gives_problems<Merge>);

TEST_CASE("what could not be read is one error at the end, and each by itself") {
  const auto trace = trace_of(1000);
  Drives rig(2);
  rig.layout.index = Layout::Index::none;
  const auto paths = lay_out(trace, rig.layout);
  auto bytes = read_bytes(paths[0]);
  bytes.resize(bytes.size() - 1);
  write_bytes(paths[0], bytes);
  write_bytes(paths[1], {});
  const auto spool = Spool::open(rig.places());
  Merge merge(*spool);
  CHECK(read_all(merge).size() > 500);
  const auto outcome = merge.outcome();
  REQUIRE_FALSE(outcome);
  REQUIRE(merge.problems().size() == 2);
  CHECK(outcome.error().what == merge.problems().front().what);
  CHECK(outcome.error().why == merge.problems().front().why + " (and 1 more)");
}

TEST_CASE("packets of a link type that a filter cannot be asked of are left out, and that is a problem, once") {
  const auto trace = trace_of(50);
  TempDir directory;
  const auto raw = (directory / "raw.pcap").string();
  write_bytes(raw, pcap_bytes(trace, {.linktype = 101}));
  const auto spool = Spool::open({raw});
  Query query;
  query.filter = *Filter::compile("ether host 02:00:00:00:00:01");
  Merge merge(*spool, query);
  CHECK(read_all(merge).size() == 0);
  REQUIRE(merge.problems().size() == 1);
  CHECK(merge.problems()[0].what == "the filter 'ether host 02:00:00:00:00:01'");
  CHECK(merge.problems()[0].why.starts_with("packets were left out for packets of link type RAW: "));
}

TEST_CASE("a merge of some of a Spool's files gives the packets of these") {
  const auto trace = trace_of(2000);
  Drives rig(1);
  rig.layout.streams = 1;
  lay_out(trace, rig.layout);
  const auto spool = Spool::open(rig.places());
  REQUIRE(spool->files().size() > 3);
  Merge first({spool->files()[0]});
  Merge others({spool->files().begin() + 1, spool->files().end()});
  auto packets = read_all(first);
  CHECK(packets.size() < trace.size());
  const auto rest = read_all(others);
  for (std::size_t i = 0; i < rest.size(); ++i) packets.append(rest[i]);
  CHECK(same(trace, packets) == "");
}

TEST_CASE("a place that is not there is an error, a directory without files is not") {
  TempDir directory;
  CHECK(Spool::open({(directory / "none").string()}).error().why == "No such file or directory");
  CHECK(query({directory.str()}).size() == 0);
}
