// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/spool_file.hpp"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <random>
#include <thread>

#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

constexpr SpoolFile::Options salvaging{
    .mode = SpoolFile::Mode::salvage, .buffer_bytes = 1 << 20, .keep_open = true, .stretches = {}};

Trace trace_of(std::uint64_t packets, const std::string& kind = "mixed") {
  TraceSpec spec;
  spec.kind = kind;
  spec.packets = packets;
  return make_trace(spec);
}

Trace read_all(SpoolFile& file) {
  Trace trace;
  while (const auto* packet = file.next()) trace.append(packet->view);
  return trace;
}

// Same bytes, same order, same times.
std::string difference(const Trace& expected, const Trace& actual, std::uint64_t unit_ns = 1) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    if (expected[i].time.ns / unit_ns != actual[i].time.ns / unit_ns) return "the time of packet " + std::to_string(i);
  }
  return compare_in_order(expected, actual);
}

struct Fixture {
  TempDir directory;
  std::string path = (directory / "x.pcap").string();

  SpoolFile open(std::span<const std::byte> bytes, SpoolFile::Options options = {}) {
    write_bytes(path, bytes);
    auto file = SpoolFile::open(path, options);
    REQUIRE(file);
    return std::move(*file);
  }
  std::string why_not(std::span<const std::byte> bytes) {
    write_bytes(path, bytes);
    const auto file = SpoolFile::open(path);
    return file ? "" : file.error().message();
  }
};

std::size_t offset_of(const Trace& trace, std::size_t packet) {
  std::size_t offset = 24;
  for (std::size_t i = 0; i < packet; ++i) offset += 16 + trace[i].caplen();
  return offset;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "pcap of either byte order and either resolution is read alike") {
  const auto trace = trace_of(500);
  for (const bool big_endian : {false, true}) {
    for (const bool microseconds : {false, true}) {
      INFO("big endian " << big_endian << ", microseconds " << microseconds);
      auto file = open(pcap_bytes(trace, {big_endian, microseconds, 1, 262144}));
      CHECK(difference(trace, read_all(file), microseconds ? 1000 : 1) == "");
      CHECK_FALSE(file.problem());
    }
  }
}

TEST_CASE_METHOD(Fixture, "pcapng of either byte order is read alike") {
  const auto trace = trace_of(500);
  for (const bool big_endian : {false, true}) {
    for (const unsigned block_type : {6u, 2u}) {
      INFO("big endian " << big_endian << ", block type " << block_type);
      auto file = open(pcapng_bytes(trace, {big_endian, 9, 0, block_type, 1}));
      CHECK(difference(trace, read_all(file)) == "");
      CHECK_FALSE(file.problem());
    }
  }
}

TEST_CASE_METHOD(Fixture, "pcapng times of any resolution and offset come out in nanoseconds") {
  const auto trace = trace_of(100);
  for (const auto& [tsresol, unit] : {std::pair{6u, 1000u}, {3u, 1'000'000u}, {8u, 10u}}) {
    auto file = open(pcapng_bytes(trace, {false, tsresol, 0, 6, 1}));
    CHECK(difference(trace, read_all(file), unit) == "");
  }
  auto shifted = open(pcapng_bytes(trace, {false, 9, 1'000'000, 6, 1}));
  CHECK(difference(trace, read_all(shifted)) == "");
  auto before = open(pcapng_bytes(trace, {false, 9, -1'000'000, 6, 1}));
  CHECK(difference(trace, read_all(before)) == "");
  // 2^-20 s is 953.67 ns: the time is that of the last whole unit, rounded down to nanoseconds.
  auto binary = open(pcapng_bytes(trace, {false, 0x80 | 20, 0, 6, 1}));
  const auto packets = read_all(binary);
  for (std::size_t i = 0; i < trace.size(); ++i) CHECK(trace[i].time.ns - packets[i].time.ns <= 954);
}

TEST_CASE_METHOD(Fixture, "simple packets of pcapng have no time") {
  const auto trace = trace_of(50);
  auto file = open(pcapng_bytes(trace, {false, 9, 0, 3, 1}));
  const auto packets = read_all(file);
  CHECK(compare_in_order(trace, packets) == "");
  CHECK(packets[0].time.ns == 0);
}

TEST_CASE_METHOD(Fixture, "what editcap writes is read as it was") {
  if (!have_program("editcap")) return;
  const auto trace = trace_of(300);
  write_pcap(trace, directory / "original.pcap");
  for (const std::string format : {"pcapng", "nsecpcap", "pcap"}) {
    INFO(format);
    REQUIRE(run_process({"editcap", "-F", format, directory / "original.pcap", path}).ok());
    auto file = SpoolFile::open(path);
    REQUIRE(file);
    CHECK(difference(trace, read_all(*file), format == "pcap" ? 1000 : 1) == "");
  }
}

TEST_CASE_METHOD(Fixture, "the link type of every packet is told") {
  const auto trace = trace_of(3);
  auto raw = open(pcap_bytes(trace, {true, true, 101, 65535}));
  CHECK(raw.next()->linktype == 101);
  auto cooked = open(pcapng_bytes(trace, {false, 9, 0, 6, 113}));
  CHECK(cooked.next()->linktype == 113);
  auto with_fcs = open(pcap_bytes(trace, {false, false, 0x24000001, 65535}));
  CHECK(with_fcs.next()->linktype == 1);
}

TEST_CASE_METHOD(Fixture, "two pcapng files one behind the other are one") {
  const auto trace = trace_of(20);
  auto bytes = pcapng_bytes(trace, {false, 9, 0, 6, 1});
  const auto second = pcapng_bytes(trace, {true, 6, 0, 6, 101});
  bytes.insert(bytes.end(), second.begin(), second.end());
  auto file = open(bytes);
  std::vector<std::uint32_t> linktypes;
  while (const auto* packet = file.next()) linktypes.push_back(packet->linktype);
  CHECK_FALSE(file.problem());
  REQUIRE(linktypes.size() == 40);
  CHECK(linktypes[19] == 1);
  CHECK(linktypes[20] == 101);
}

TEST_CASE_METHOD(Fixture, "a file that holds no capture is refused with a reason") {
  CHECK(why_not({}) == path + ": it is empty");
  CHECK(why_not(std::vector<std::byte>(100)) ==
        path + ": it is neither pcap nor pcapng: `editcap IN OUT` (Wireshark) may know its format");
  const auto empty = pcap_bytes({});
  CHECK(why_not(std::span(empty).first(10)) == path + ": it ends within the pcap header");
  auto newer = pcap_bytes({});
  newer[4] = std::byte{3};
  CHECK(why_not(newer) == path + ": its pcap version is 3.4, not 2.0 to 2.4 or 543.0");
  CHECK(SpoolFile::open(directory.str()).error().why == "Is a directory");
  CHECK(SpoolFile::open(path + ".none").error().why == "No such file or directory");
}

TEST_CASE_METHOD(Fixture, "a file without packets ends at once") {
  auto file = open(pcap_bytes({}));
  CHECK(file.next() == nullptr);
  CHECK_FALSE(file.problem());
}

TEST_CASE_METHOD(Fixture, "a record cut by power loss ends the file with a word about it") {
  const auto trace = trace_of(20);
  const auto bytes = pcap_bytes(trace);
  const auto last = offset_of(trace, 19);
  for (std::size_t length = last; length < bytes.size(); ++length) {
    auto file = open(std::span(bytes).first(length));
    REQUIRE(read_all(file).size() == 19);
    REQUIRE(file.problem().has_value() == (length != last));
  }
}

TEST_CASE_METHOD(Fixture, "a small buffer reads the same packets, and keeps no descriptor if told so") {
  const auto trace = trace_of(300, "jumbo");
  for (const bool keep_open : {true, false}) {
    auto file = open(pcap_bytes(trace),
                     {.mode = SpoolFile::Mode::strict, .buffer_bytes = 1, .keep_open = keep_open, .stretches = {}});
    CHECK(difference(trace, read_all(file)) == "");
  }
}

TEST_CASE_METHOD(Fixture, "a file cut between two records while it is read does not pass for one that ended there") {
  const auto trace = make_trace({.kind = "590", .packets = 200});
  std::vector<std::uint64_t> offsets;
  auto whole = open(pcap_bytes(trace));
  while (const auto* packet = whole.next()) offsets.push_back(packet->offset);
  auto file = SpoolFile::open(path, {SpoolFile::Mode::strict, 4096, false, {}});
  REQUIRE(file);
  REQUIRE(file->next() != nullptr);
  std::filesystem::resize_file(path, offsets.at(150));
  while (file->next() != nullptr) continue;
  REQUIRE(file->problem());
  CHECK(file->problem()->why.find("cut while it was read") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a file replaced while it is read is noticed") {
  const auto trace = trace_of(300);
  auto file = open(pcap_bytes(trace),
                   {.mode = SpoolFile::Mode::strict, .buffer_bytes = 4096, .keep_open = false, .stretches = {}});
  REQUIRE(file.next());
  write_bytes(directory / "other", pcap_bytes(trace_of(300, "60")));
  std::filesystem::rename(directory / "other", path);
  read_all(file);
  REQUIRE(file.problem());
  CHECK(file.problem()->why == "Stale file handle");
}

TEST_CASE_METHOD(Fixture, "only the stretches asked for are read") {
  const auto trace = trace_of(100);
  const std::vector<Stretch> stretches{{offset_of(trace, 10), offset_of(trace, 12)},
                                       {offset_of(trace, 12), offset_of(trace, 13)},
                                       {offset_of(trace, 90), offset_of(trace, 100)}};
  auto file =
      open(pcap_bytes(trace),
           {.mode = SpoolFile::Mode::strict, .buffer_bytes = 1 << 20, .keep_open = true, .stretches = stretches});
  Trace expected;
  for (const auto i : {10u, 11u, 12u, 90u, 91u, 92u, 93u, 94u, 95u, 96u, 97u, 98u, 99u}) expected.append(trace[i]);
  CHECK(difference(expected, read_all(file)) == "");
}

TEST_CASE_METHOD(Fixture, "a huge length ends strict reading and is passed over by salvage") {
  const auto trace = trace_of(200);
  auto bytes = pcap_bytes(trace);
  const std::uint32_t huge = 0xfffffff0;
  std::memcpy(bytes.data() + offset_of(trace, 100) + 8, &huge, 4);
  auto strict = open(bytes);
  CHECK(read_all(strict).size() == 100);
  CHECK(strict.problem()->why.find("longer than any packet") != std::string::npos);

  auto file = open(bytes, salvaging);
  const auto packets = read_all(file);
  CHECK(packets.size() == 199);
  CHECK(compare_as_subsequence(trace, packets) == "");
  CHECK(file.skipped() == std::vector<Stretch>{{offset_of(trace, 100), offset_of(trace, 101)}});
}

TEST_CASE_METHOD(Fixture, "salvage finds the packets behind zeros, noise and a torn end") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = trace_of(4000, "imix");
  const auto whole = pcap_bytes(trace);
  for (int round = 0; round < 30; ++round) {
    auto bytes = whole;
    const auto begin = 24 + random.below(bytes.size() - 24);
    const auto length = random.below(std::min<std::uint64_t>(300'000, bytes.size() - begin));
    const bool noise = random.below(2) == 0;
    for (auto i = begin; i < begin + length; ++i)
      bytes[i] = noise ? static_cast<std::byte>(random.next()) : std::byte{0};
    bytes.resize(bytes.size() - random.below(1000));
    auto file = open(bytes, salvaging);
    Trace packets, intact;
    while (const auto* packet = file.next()) {
      // A packet whose body alone was hit cannot be told from a good one.
      const bool hit = packet->offset < begin + length && packet->offset + 16 + packet->view.caplen() > begin;
      if (!hit) packets.append(packet->view);
    }
    for (std::size_t i = 0, offset = 24; i < trace.size(); ++i) {
      const auto end = offset + 16 + trace[i].caplen();
      if (end <= bytes.size() && (end <= begin || offset >= begin + length)) intact.append(trace[i]);
      offset = end;
    }
    INFO("round " << round << ", " << (noise ? "noise" : "zeros") << " at " << begin << " for " << length);
    // Less than the stretch that confirms a chain can be left behind damage close to the end.
    REQUIRE(compare_as_subsequence(intact, packets) == "");
    REQUIRE(packets.size() + 1 >= intact.size());
  }
}

TEST_CASE_METHOD(Fixture, "any bytes at all are survived, strict or salvaging") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = trace_of(60);
  const std::vector<std::vector<std::byte>> files{pcap_bytes(trace), pcap_bytes(trace, {true, true, 1, 65535}),
                                                  pcapng_bytes(trace), pcapng_bytes(trace, {true, 6, 0, 2, 1})};
  for (int round = 0; round < 400; ++round) {
    auto bytes = files[random.below(files.size())];
    for (auto flips = random.below(30); flips > 0; --flips) {
      bytes[random.below(bytes.size())] ^= static_cast<std::byte>(1u << random.below(8));
    }
    bytes.resize(random.below(4) == 0 ? random.below(bytes.size()) : bytes.size());
    write_bytes(path, bytes);
    for (const auto mode : {SpoolFile::Mode::strict, SpoolFile::Mode::salvage}) {
      auto file = SpoolFile::open(path, {.mode = mode, .buffer_bytes = 4096, .keep_open = true, .stretches = {}});
      if (file) read_all(*file);
    }
  }
}

// A capture allocates its open files ahead, and cuts them behind the last record when it flushes.
TEST_CASE("a file that is allocated ahead and cut again while it is opened is no file that was cut") {
  Fixture of;
  const auto trace = trace_of(10);
  auto bytes = pcap_bytes(trace);
  const auto stored = bytes.size();
  write_bytes(of.path, bytes);
  std::atomic<bool> stop{false};
  std::thread keeper([&] {
    while (!stop) {
      std::filesystem::resize_file(of.path, 100'000);
      std::filesystem::resize_file(of.path, stored);
    }
  });
  std::string why;
  for (int i = 0; i < 5'000 && why.empty(); ++i) {
    auto file = SpoolFile::open(of.path, {.stored = stored});
    if (!file) {
      why = file.error().message();
      break;
    }
    why = difference(trace, read_all(*file));
    if (file->problem()) why = file->problem()->message();
    if (file->size() != stored) why = "it is as long as what is allocated";
  }
  stop = true;
  keeper.join();
  CHECK(why == "");
}
