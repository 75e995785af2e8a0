// SPDX-License-Identifier: BSD-3-Clause
#include "tools/repair.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <random>

#include "format/bytes.hpp"
#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "format/pcap_records.hpp"
#include "format/record_scanner.hpp"
#include "spool/reading_rig.hpp"
#include "storage/direct_file.hpp"
#include "support/catch.hpp"
#include "support/ledger_samples.hpp"
#include "support/outside_tools.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/random.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"
#include "tools/verify.hpp"

using namespace wirespool;
using namespace wirespool::test;
using tools::RepairedFile;
using Outcome = tools::RepairedFile::Outcome;

namespace {

constexpr Timestamp start{1'767'225'600'000'000'000};
constexpr std::size_t block = 65536;

Trace trace_of(std::uint64_t packets, const std::string& kind = "imix", std::uint64_t seed = 1) {
  TraceSpec spec;
  spec.kind = kind;
  spec.packets = packets;
  spec.seed = seed;
  return make_trace(spec);
}

// A hidden file as a crash leaves it: allocated ahead, and of its Blocks those written that are asked for.
struct Crash {
  TempDir directory;
  std::string hidden = format::hidden_file_name({"w", start, 3, 17});
  std::string path = (directory / hidden).string();

  void write(std::span<const std::byte> bytes, const std::vector<bool>& written, std::uint64_t allocated) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0640);
    REQUIRE(fd >= 0);
    if (allocated > 0 && ::posix_fallocate(fd, 0, static_cast<off_t>(allocated)) != 0) WARN("no preallocation here");
    for (std::size_t i = 0; i * block < bytes.size(); ++i) {
      if (i < written.size() && !written[i]) continue;
      // A tail Block is padded to the drive's block size.
      std::vector<std::byte> data(bytes.begin() + static_cast<std::ptrdiff_t>(i * block),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), (i + 1) * block)));
      data.resize((data.size() + 4095) / 4096 * 4096);
      REQUIRE(::pwrite(fd, data.data(), data.size(), static_cast<off_t>(i * block)) ==
              static_cast<ssize_t>(data.size()));
    }
    ::fsync(fd);
    ::close(fd);
  }
  void write_all(std::span<const std::byte> bytes, std::uint64_t allocated = 0) { write(bytes, {}, allocated); }

  tools::RepairReport repair(bool dry_run = false) {
    auto report = tools::repair({{directory.str()}, dry_run});
    REQUIRE(report);
    INFO(tools::render_table(*report));
    return *report;
  }
  RepairedFile repair_one() {
    auto report = repair();
    return report.directories.at(0).files.at(0);
  }
  Trace sealed() const { return read_spool({directory.path()}); }

  std::map<std::string, std::vector<std::byte>> content() const {
    std::map<std::string, std::vector<std::byte>> content;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      content[entry.path().filename().string()] = read_bytes(entry.path());
    }
    return content;
  }
};

std::string same(const Trace& expected, const Trace& actual) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    if (expected[i].time != actual[i].time) return "the time of packet " + std::to_string(i);
  }
  return compare_in_order(expected, actual);
}

// The packets whose records lie wholly in written Blocks.
Trace whole_in(const Trace& trace, const std::vector<bool>& written) {
  Trace whole;
  std::size_t offset = 24;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto end = offset + 16 + trace[i].caplen();
    bool there = true;
    for (auto b = offset / block; b <= (end - 1) / block; ++b) there = there && (b >= written.size() || written[b]);
    if (there) whole.append(trace[i]);
    offset = end;
  }
  return whole;
}

}  // namespace

TEST_CASE_METHOD(
    Crash, "a file left open becomes a sealed one with every packet, an index, and the name of its first packet") {
  const auto trace = trace_of(1000);
  write_all(pcap_bytes(trace), 4 << 20);
  const auto repaired = repair_one();
  CHECK(repaired.outcome == Outcome::sealed);
  REQUIRE(repaired.files.size() == 1);
  CHECK(repaired.files[0].name == format::format_file_name({"w", trace[0].time, 3, 17}));
  CHECK(repaired.files[0].packets == 1000);
  CHECK(repaired.files[0].bytes == trace.bytes());
  CHECK(repaired.files[0].last == trace[999].time);
  CHECK(repaired.skipped_bytes == 0);
  CHECK(same(trace, sealed()) == "");
  CHECK(read_bytes(directory / repaired.files[0].name) == pcap_bytes(trace));
  CHECK(tools::verify({directory.str()})->problem_count() == 0);
  CHECK(tools::verify({directory.str()})->files.at(0).notices.empty());
  if (missing_outside_tools().empty()) CHECK(ask_capinfos(directory / repaired.files[0].name).understood);
}

TEST_CASE_METHOD(Crash,
                 "a repaired file is indexed as its capture would have, and marked for the capture's --on-seal") {
  const std::string plan = capture_json({.block_bytes = 65536, .index = "flow", .on_seal = "gzip -k"});
  std::ofstream(directory / format::capture_file_name("w", start)) << plan;
  write_all(pcap_bytes(trace_of(1000)));
  const auto name = repair_one().files.at(0).name;
  CHECK(std::filesystem::exists(directory / format::pending_file_name(name)));
  const auto index = format::decode_index(read_bytes(directory / format::index_file_name(name)));
  REQUIRE(index);
  CHECK(index->header.level == format::IndexLevel::flow);
  CHECK(index->header.block_bytes == 65536);
}

TEST_CASE_METHOD(Crash, "a second repair changes nothing, and a dry run changes nothing at all") {
  const auto trace = trace_of(1000);
  const auto bytes = pcap_bytes(trace);
  write(bytes, {true, false, true}, 4 << 20);
  const auto before = content();
  const auto planned = repair(true).directories.at(0).files.at(0);
  CHECK(content() == before);
  const auto done = repair_one();
  REQUIRE(planned.files.size() == done.files.size());
  for (std::size_t i = 0; i < done.files.size(); ++i) {
    CHECK(planned.files[i].name == done.files[i].name);
    CHECK(planned.files[i].packets == done.files[i].packets);
  }
  const auto after = content();
  CHECK(repair().directories.at(0).files.empty());
  CHECK(content() == after);
}

TEST_CASE_METHOD(Crash, "the end of a file cut at any byte is left out, and everything before it kept") {
  const auto trace = trace_of(12, "60");
  const auto bytes = pcap_bytes(trace);
  for (std::size_t length = 24; length <= bytes.size(); ++length) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0640);
    REQUIRE(::pwrite(fd, bytes.data(), length, 0) == static_cast<ssize_t>(length));
    ::close(fd);
    const auto whole = (length - 24) / 76;
    repair();
    if (whole == 0) {
      std::filesystem::remove(path);
      continue;
    }
    REQUIRE(sealed().size() == whole);
    for (const auto& file : sealed_files({directory.path()})) {
      std::filesystem::remove(file);
      std::filesystem::remove(format::cut_file_name(file.string()));
    }
  }
}

TEST_CASE_METHOD(Crash, "packets behind a hole become a file of their own") {
  const auto trace = trace_of(1200);
  const auto bytes = pcap_bytes(trace);
  const std::vector<bool> written{true, true, false, true, true, true, true, true};
  write(bytes, written, 4 << 20);
  const auto repaired = repair_one();
  CHECK(repaired.files.size() == 2);
  CHECK(repaired.skipped_bytes > 0);
  CHECK(same(whole_in(trace, written), sealed()) == "");
  CHECK(tools::verify({directory.str()})->problem_count() == 0);
}

TEST_CASE_METHOD(Crash, "a file whose first Block never came is repaired from the second on") {
  const auto trace = trace_of(800);
  const std::vector<bool> written{false};
  write(pcap_bytes(trace), written, 4 << 20);
  const auto repaired = repair_one();
  CHECK(repaired.files.size() == 1);
  CHECK(same(whole_in(trace, written), sealed()) == "");
  CHECK(hidden_files({directory.path()}).empty());
}

TEST_CASE("whatever Blocks are missing, all whole packets of the others come back, and nothing else") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const std::vector<std::string> kinds{"imix", "mixed", "jumbo", "60", "1514", "caida"};
  for (int round = 0; round < 40; ++round) {
    Crash crash;
    const auto& kind = kinds[random.below(kinds.size())];
    const auto trace = trace_of(400 + random.below(2000), kind, random.next());
    auto bytes = pcap_bytes(trace);
    std::vector<bool> written((bytes.size() + block - 1) / block);
    for (std::size_t i = 0; i < written.size(); ++i) written[i] = random.below(3) != 0;
    const bool allocated = random.below(2) == 0;
    crash.write(bytes, written, allocated ? bytes.size() + (1 << 20) : 0);
    crash.repair();
    const auto expected = whole_in(trace, written);
    const auto actual = crash.sealed();
    INFO("round " << round << ", " << kind << ", " << trace.size() << " packets");
    REQUIRE(compare_as_subsequence(trace, actual) == "");
    REQUIRE(same(expected, actual) == "");
    REQUIRE(tools::verify({crash.directory.str()})->problem_count() == 0);
  }
}

TEST_CASE("a power cut may also tear Blocks: what comes back was sent") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  for (int round = 0; round < 30; ++round) {
    Crash crash;
    const auto trace = trace_of(1500, "imix", random.next());
    const auto bytes = pcap_bytes(trace);
    // The unit that a drive writes whole is a page here: some of the last Blocks' pages never came.
    const int fd = ::open(crash.path.c_str(), O_RDWR | O_CREAT, 0640);
    REQUIRE(::posix_fallocate(fd, 0, static_cast<off_t>(bytes.size() + 4096)) == 0);
    const auto safe = random.below(bytes.size()) / 4096 * 4096;
    for (std::size_t at = 0; at < bytes.size(); at += 4096) {
      const auto length = std::min<std::size_t>(4096, bytes.size() - at);
      if (at >= safe && random.below(2) == 0) continue;
      REQUIRE(::pwrite(fd, bytes.data() + at, length, static_cast<off_t>(at)) == static_cast<ssize_t>(length));
    }
    ::close(fd);
    crash.repair();
    INFO("round " << round);
    const auto actual = crash.sealed();
    REQUIRE(compare_as_subsequence(trace, actual) == "");
    Trace before;
    for (std::size_t i = 0, offset = 24; i < trace.size(); ++i) {
      offset += 16 + trace[i].caplen();
      if (offset <= safe) before.append(trace[i]);
    }
    REQUIRE(actual.size() >= before.size());
  }
}

TEST_CASE_METHOD(Crash, "a file that nothing was captured into is removed") {
  SECTION("empty") {
    write_bytes(path, {});
    CHECK(repair_one().outcome == Outcome::removed);
    CHECK(content().empty());
  }
  SECTION("allocated and never written") {
    write({}, {}, 1 << 20);
    CHECK(repair_one().outcome == Outcome::removed);
    CHECK(content().empty());
  }
  SECTION("its header only") {
    write_all(pcap_bytes({}), 1 << 20);
    CHECK(repair_one().outcome == Outcome::removed);
    CHECK(content().empty());
  }
}

TEST_CASE_METHOD(Crash, "a file that holds something, but no whole packet, is left for people to look at") {
  std::vector<std::byte> noise(20'000);
  Random random(5);
  for (auto& byte : noise) byte = static_cast<std::byte>(random.next());
  write_all(noise, 1 << 20);
  const auto before = content();
  const auto report = repair();
  CHECK(report.directories[0].files[0].outcome == Outcome::unreadable);
  CHECK_FALSE(report.complete());
  CHECK(content() == before);
}

TEST_CASE_METHOD(Crash, "a file of a running capture is never touched") {
  auto held = storage::Directory::open(directory.str());
  auto file = storage::DirectFile::create(*held, hidden, storage::DirectFile::Mode::buffered);
  REQUIRE(file);
  const auto bytes = pcap_bytes(trace_of(100));
  REQUIRE(::pwrite(file->fd(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  const auto before = content();
  CHECK(repair_one().outcome == Outcome::in_use);
  CHECK(repair(true).directories[0].files[0].outcome == Outcome::in_use);
  CHECK(content() == before);
}

TEST_CASE_METHOD(Crash, "a repair that was itself cut short is finished by the next one") {
  const auto trace = trace_of(1200);
  const std::vector<bool> written{true, true, false, true, true, true, true, true};
  write(pcap_bytes(trace), written, 4 << 20);
  const auto before = read_bytes(path);
  const auto planned = repair(true).directories[0].files[0];
  SECTION("while it copied") {
    write_bytes(path.substr(0, path.rfind('.')) + ".rescue", std::span(before).first(5000));
  }
  SECTION("after the second file was sealed") {
    Crash other;
    other.write(pcap_bytes(trace), written, 4 << 20);
    other.repair();
    std::filesystem::copy_file(other.directory / planned.files[1].name, directory / planned.files[1].name);
  }
  INFO(tools::render_table(repair()));
  CHECK(same(whole_in(trace, written), sealed()) == "");
  CHECK(sealed_files({directory.path()}).size() == 2);
  for (const auto& [name, bytes] : content()) CHECK_FALSE(name.ends_with(".rescue"));
}

TEST_CASE_METHOD(Crash, "another file of the second file's name is not overwritten, and nothing is lost") {
  const auto trace = trace_of(1200);
  const std::vector<bool> written{true, true, false, true, true, true, true, true};
  write(pcap_bytes(trace), written, 4 << 20);
  const auto planned = repair(true).directories[0].files[0];
  write_bytes(directory / planned.files[1].name, pcap_bytes(trace_of(3)));
  const auto before = read_bytes(path);
  const auto report = repair();
  CHECK(report.directories[0].files[0].outcome == Outcome::failed);
  CHECK(report.directories[0].files[0].why.find("File exists") != std::string::npos);
  CHECK(read_bytes(path) == before);
  CHECK(read_bytes(directory / planned.files[1].name) == pcap_bytes(trace_of(3)));
}

TEST_CASE_METHOD(Crash, "packets that carry a pcap file are not taken for packets of the file") {
  // Frames with a piece of another capture in them, whose records fit in every respect but where they are.
  const auto inner = pcap_bytes(trace_of(200, "60"));
  Trace trace;
  Random random(3);
  for (std::size_t i = 0; i < 2000; ++i) {
    std::vector<std::byte> frame(1460);
    const auto from = 24 + random.below(inner.size() - 24 - 1400);
    std::copy_n(inner.begin() + static_cast<std::ptrdiff_t>(from), 1400, frame.begin() + 60);
    trace.append(Timestamp{start.ns + 1000 * i}, frame, 1460);
  }
  const auto bytes = pcap_bytes(trace);
  std::vector<bool> written((bytes.size() + block - 1) / block, true);
  for (std::size_t i = 3; i < written.size(); i += 4) written[i] = false;
  write(bytes, written, bytes.size() + (1 << 20));
  repair();
  CHECK(compare_as_subsequence(trace, sealed()) == "");
  CHECK(same(whole_in(trace, written), sealed()) == "");
}

TEST_CASE_METHOD(Crash, "a capture that did not come to its end is told, and stays told") {
  const std::string plan = capture_json({.block_bytes = 65536});
  const auto plan_path = directory / format::capture_file_name("w", start);
  write_bytes(plan_path, std::as_bytes(std::span(plan)));
  write_all(pcap_bytes(trace_of(100)));
  for (int round = 0; round < 2; ++round) {
    const auto report = repair();
    REQUIRE(report.directories[0].notices.size() == 1);
    CHECK(report.directories[0].notices[0].find("did not come to its end") != std::string::npos);
  }
  CHECK(read_bytes(plan_path).size() == plan.size());
}

TEST_CASE("a directory that is not there is wrong use; one with nothing to repair is fine") {
  TempDir directory;
  CHECK(tools::repair({{directory.str() + "/none"}, false}).error().kind == Error::Kind::wrong_use);
  CHECK(tools::render_table(*tools::repair({{directory.str()}, false})) == "no unsealed files: nothing to repair\n");
}

TEST_CASE("the clock was years off while capturing: repair brings the same packets back, whatever the clock says now") {
  const auto years = GENERATE(values<std::int64_t>({-50, -2, 2, 10}));
  INFO(years << " years");
  const auto times = std::chrono::nanoseconds(start.ns) + std::chrono::hours(24 * 365) * years;
  TraceSpec spec;
  spec.kind = "imix";
  spec.packets = 1200;
  spec.start = Timestamp{static_cast<std::uint64_t>(times.count()) + 1'000'000'000};
  const auto trace = make_trace(spec);
  const std::vector<bool> whole_file, hole{true, true, false}, no_front{false};
  const auto written = GENERATE_COPY(values<std::vector<bool>>({whole_file, hole, no_front}));
  SECTION("and the capture's start has that time too") {
    Crash crash;
    const Timestamp began{static_cast<std::uint64_t>(times.count())};
    crash.path = crash.directory / format::hidden_file_name({"w", began, 3, 17});
    crash.write(pcap_bytes(trace), written, 4 << 20);
    CHECK(crash.repair_one().outcome == Outcome::sealed);
    CHECK(same(whole_in(trace, written), crash.sealed()) == "");
  }
  SECTION("and was set after the start, so that only the packets tell") {
    Crash crash;
    crash.write(pcap_bytes(trace), written, 4 << 20);
    CHECK(crash.repair_one().outcome == Outcome::sealed);
    CHECK(same(whole_in(trace, written), crash.sealed()) == "");
  }
}

TEST_CASE_METHOD(Crash, "a clock put right by years in the middle of a file cuts nothing off") {
  TraceSpec spec;
  spec.kind = "imix";
  spec.packets = 600;
  spec.start = Timestamp{86'400'000'000'000};  // a machine without a battery begins in 1970
  auto trace = make_trace(spec);
  spec.start = start;
  spec.first_number = 600;
  const auto later = make_trace(spec);
  for (std::size_t i = 0; i < later.size(); ++i) trace.append(later[i]);
  const std::vector<bool> hole{true, true, true, true, true, true, false};
  write(pcap_bytes(trace), hole, 4 << 20);
  repair();
  CHECK(same(whole_in(trace, hole), sealed()) == "");
}

TEST_CASE_METHOD(Crash, "a packet whose time is damaged costs itself, and not all that follow") {
  const auto trace = trace_of(1000);
  auto bytes = pcap_bytes(trace);
  std::size_t offset = 24;
  for (std::size_t i = 0; i < 400; ++i) offset += 16 + trace[i].caplen();
  const auto bit = GENERATE(14, 31);  // four hours, and a lifetime
  bytes[offset + static_cast<std::size_t>(bit) / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  REQUIRE(Timestamp{format::time_of(format::load<format::PcapRecordHeader>(bytes, offset))} > trace[400].time);
  write_all(bytes);
  CHECK(repair_one().skipped_bytes == 16 + trace[400].caplen());
  Trace expected;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (i != 400) expected.append(trace[i]);
  }
  CHECK(same(expected, sealed()) == "");
}

TEST_CASE_METHOD(Crash,
                 "what repair cuts it keeps beside, at the offsets where it was, and a second repair makes no more") {
  const auto bytes = pcap_bytes(trace_of(1200));
  const std::vector<bool> written{true, true, false, true, true, true};
  write(bytes, written, 4 << 20);
  const auto before = read_bytes(path);
  CHECK(repair(true).directories[0].files[0].kept_in != "");
  CHECK(content().size() == 1);
  const auto repaired = repair_one();
  REQUIRE(repaired.kept_in == format::cut_file_name(repaired.files[0].name));
  const auto kept = read_bytes(directory / repaired.kept_in);
  std::uint64_t not_zero = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    REQUIRE((kept[i] == std::byte{0} || kept[i] == before[i]));
    not_zero += kept[i] != std::byte{0};
  }
  CHECK(not_zero > 0);
  // The first of these bytes are the cut record in front of the hole, and nothing of it is left out.
  const auto front = std::filesystem::file_size(directory / repaired.files[0].name);
  REQUIRE(front < 2 * block);
  CHECK(std::equal(before.begin() + static_cast<std::ptrdiff_t>(front), before.begin() + 2 * block,
                   kept.begin() + static_cast<std::ptrdiff_t>(front)));
  const auto after = content();
  repair();
  CHECK(content() == after);
}

TEST_CASE_METHOD(Crash, "a repair that is ended when it has kept what it cuts does not fail on that the next time") {
  const auto bytes = pcap_bytes(trace_of(1200));
  const std::vector<bool> written{true, true, false, true, true, true};
  write(bytes, written, 4 << 20);
  Crash other;
  other.write(bytes, written, 4 << 20);
  const auto kept = other.repair_one().kept_in;
  std::filesystem::copy_file(other.directory / kept, directory / kept);
  CHECK(repair_one().outcome == Outcome::sealed);
  CHECK(read_bytes(directory / kept) == read_bytes(other.directory / kept));
}

TEST_CASE_METHOD(Crash, "a file whose own header is damaged gets a good one, and keeps every packet") {
  const auto trace = trace_of(500);
  auto bytes = pcap_bytes(trace);
  const auto at = GENERATE(0u, 4u, 6u, 20u);  // magic, versions, link type
  INFO("byte " << at);
  bytes[at] ^= std::byte{0x10};
  write_all(bytes);
  const auto repaired = repair_one();
  CHECK(repaired.outcome == Outcome::sealed);
  REQUIRE(repaired.files.size() == 1);
  const bool good = read_bytes(directory / repaired.files[0].name) == pcap_bytes(trace);
  CHECK(good);
  CHECK(hidden_files({directory.path()}).empty());
}

TEST_CASE_METHOD(Crash, "a capture.json that cannot be read is told, and the file repaired as is usual") {
  std::ofstream(directory / format::capture_file_name("w", start)) << R"({"plan":{"snaplen":64}})";
  write_all(pcap_bytes(trace_of(100)));
  const auto report = repair().directories.at(0);
  CHECK(report.files.size() == 1);
  REQUIRE(report.notices.size() == 2);
  CHECK(report.notices[0].find(".capture.json: wirespool is missing: its files are repaired as is usual") !=
        std::string::npos);
}

TEST_CASE_METHOD(Crash, "a file behind a hole has the capture's own snaplen in its header") {
  const auto trace = trace_of(1200, "60");
  auto bytes = pcap_bytes(trace);
  const std::uint32_t snaplen = 64;
  SECTION("as the file's own header tells it") {
    std::memcpy(bytes.data() + 16, &snaplen, 4);
    write(bytes, {true, false}, 4 << 20);
  }
  SECTION("as capture.json tells it where that header is lost") {
    std::ofstream(directory / format::capture_file_name("w", start)) << capture_json({.snaplen = snaplen});
    write(bytes, {false}, 4 << 20);
  }
  for (const auto& file : repair_one().files) {
    INFO(file.name);
    CHECK(format::load<format::PcapFileHeader>(read_bytes(directory / file.name)).snaplen == snaplen);
  }
}

TEST_CASE_METHOD(Crash, "links planted where repair makes its files are not followed") {
  const std::vector<bool> written{true, true, false, true, true, true};
  const auto trace = trace_of(1200);
  write(pcap_bytes(trace), written, 4 << 20);
  const auto planned = repair(true).directories[0].files[0];
  const auto victim = directory / "victim";
  const std::string secret = "belongs to somebody else";
  std::ofstream(victim) << secret;
  const auto base = path.substr(0, path.rfind('.'));
  std::vector<std::filesystem::path> names{base + ".rescue", base + ".cut"};
  for (const auto& file : planned.files) {
    names.push_back(directory / format::index_file_name(file.name));
    names.push_back(directory / ("." + format::index_file_name(file.name) + ".tmp"));
  }
  const bool hard = GENERATE(false, true);
  for (const auto& name : names)
    hard ? std::filesystem::create_hard_link(victim, name) : std::filesystem::create_symlink(victim, name);
  repair();
  std::string now;
  std::getline(std::ifstream(victim), now, '\0');
  CHECK(now == secret);
  CHECK(same(whole_in(trace, written), sealed()) == "");
  for (const auto& name : names) CHECK_FALSE(std::filesystem::is_symlink(name));
}

TEST_CASE_METHOD(Crash, "links planted under the final names are not followed, and the hidden file stays as it was") {
  write(pcap_bytes(trace_of(1200)), {true, true, false, true, true, true}, 4 << 20);
  const auto planned = repair(true).directories[0].files[0];
  const auto victim = directory / "victim";
  std::ofstream(victim) << "belongs to somebody else";
  const auto name = GENERATE_COPY(values<std::string>({planned.files[0].name, planned.files[1].name, planned.kept_in}));
  std::filesystem::create_symlink(victim, directory / name);
  const auto before = read_bytes(path);
  CHECK(repair_one().outcome == Outcome::failed);
  CHECK(std::filesystem::file_size(victim) == 24);
  CHECK(read_bytes(path) == before);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 3);
}

TEST_CASE_METHOD(Crash, "a hidden file that is another file's second name is not repaired") {
  const auto victim = directory / "victim";
  const auto bytes = pcap_bytes(trace_of(100));
  write_bytes(victim, std::span(bytes).first(bytes.size() - 1));
  const bool hard = GENERATE(false, true);
  hard ? std::filesystem::create_hard_link(victim, path) : std::filesystem::create_symlink(victim, path);
  CHECK(repair_one().outcome == Outcome::failed);
  CHECK(std::filesystem::file_size(victim) == bytes.size() - 1);
}

TEST_CASE_METHOD(Crash, "an index that cannot be written is told, and is no success") {
  write_all(pcap_bytes(trace_of(100)));
  const auto name = repair(true).directories[0].files[0].files[0].name;
  std::filesystem::create_directories(directory / format::index_file_name(name) / "x");
  const auto report = repair();
  CHECK(report.directories[0].files[0].outcome == Outcome::sealed);
  CHECK_FALSE(report.complete());
}

TEST_CASE_METHOD(Crash, "a link that bears a marker's name is that marker, and is not followed") {
  std::ofstream(directory / format::capture_file_name("w", start)) << capture_json({.on_seal = "true"});
  write_all(pcap_bytes(trace_of(100)));
  const auto name = repair(true).directories[0].files[0].files[0].name;
  std::filesystem::create_symlink("nowhere", directory / format::pending_file_name(name));
  CHECK(repair().complete());
  CHECK_FALSE(std::filesystem::exists(directory / "nowhere"));
}

TEST_CASE("a drive too full for what repair copies: all stays as it was, until there is room") {
  if (::geteuid() != 0) return skip("a full drive", "not root");
  Crash crash;
  const auto mount = "size=" + std::to_string(4 << 20);
  if (!run_process({"mount", "-t", "tmpfs", "-o", mount, "tmpfs", crash.directory.str()}).ok())
    return skip("a full drive", "no tmpfs can be mounted here");
  struct Unmount {
    std::string path;
    ~Unmount() { run_process({"umount", "--lazy", path}); }
  } unmount{crash.directory.str()};
  const auto trace = trace_of(3000);
  const std::vector<bool> written{true, true, false};
  const auto bytes = pcap_bytes(trace);
  crash.write(bytes, written, 0);
  const auto free = std::filesystem::space(crash.directory.path()).available;
  const auto ballast = crash.directory / "ballast";
  SECTION("and only the files of others could make some") {
    write_bytes(ballast, std::vector<std::byte>(free - (128 << 10), std::byte{1}));
    const auto before = crash.content();
    const auto repaired = crash.repair_one();
    CHECK(repaired.outcome == Outcome::failed);
    CHECK(repaired.why.find("No space left") != std::string::npos);
    CHECK(crash.content() == before);
    std::filesystem::remove(ballast);
  }
  SECTION("but for what was allocated ahead for records that never came") {
    write_bytes(ballast, std::vector<std::byte>(free - (2 << 20), std::byte{1}));
    const int fd = ::open(crash.path.c_str(), O_RDWR);
    REQUIRE(::posix_fallocate(fd, static_cast<off_t>(bytes.size() + 4096), (2 << 20) - (128 << 10)) == 0);
    ::close(fd);
  }
  CHECK(crash.repair_one().outcome == Outcome::sealed);
  CHECK(same(whole_in(trace, written), crash.sealed()) == "");
}

TEST_CASE("hidden files of any content are survived") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto good = pcap_bytes(trace_of(300));
  for (int round = 0; round < 60; ++round) {
    Crash crash;
    auto bytes = good;
    for (auto flips = random.below(40); flips > 0; --flips)
      bytes[random.below(bytes.size())] ^= static_cast<std::byte>(1u << random.below(8));
    if (random.below(3) == 0)
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(random.below(bytes.size() - 5000)), 5000, std::byte{0});
    bytes.resize(random.below(bytes.size()) + 1);
    crash.write_all(bytes, random.below(2) == 0 ? 1 << 20 : 0);
    crash.repair();
    for (const auto& file : sealed_files({crash.directory.path()})) REQUIRE_NOTHROW(read_pcap(file));
  }
}
