// SPDX-License-Identifier: BSD-3-Clause
#include "tools/verify.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "format/file_name.hpp"
#include "read/index_builder.hpp"
#include "read/index_store.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/ledger_samples.hpp"
#include "support/pcap_bytes.hpp"
#include "support/temp_dir.hpp"
#include "tools/ledger_file.hpp"
#include "tools/ls.hpp"
#include "tools/make_index.hpp"
#include "wirespool/spool_file.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Lines = std::vector<std::string>;

namespace {

constexpr Timestamp start{1'767'225'600'000'000'000};  // before the traces' first packet

std::string ledger_of(std::uint64_t stored, std::uint64_t bytes, std::uint64_t dropped = 0, bool final = true) {
  return format::encode_ledger_line(
      ledger_line(Timestamp{start.ns + 60 * std::uint64_t{1'000'000'000}}, stored, bytes, dropped, final));
}

// As 0.1.0 would have written it.
std::string ledger_of_0_1_0(std::uint64_t stored, std::uint64_t bytes) {
  auto json = nlohmann::json::parse(ledger_of(stored, bytes));
  for (const auto* name : {"ended_early", "cut", "lost"}) json["totals"].erase(name);
  json.erase("stages");
  return json.dump();
}

struct Rig {
  TempDir directory;
  Trace trace;
  Layout layout;
  std::vector<std::string> places, paths;

  Rig() {
    TraceSpec spec;
    spec.packets = 1000;
    spec.start = Timestamp{start.ns + 1'000'000'000};
    trace = make_trace(spec);
    layout.directories = {directory / "a", directory / "b"};
    layout.streams = 1;
    for (const auto& path : layout.directories) {
      std::filesystem::create_directory(path);
      places.push_back(path.string());
    }
    paths = lay_out(trace, layout);
  }

  void write_plan(const std::string& ledger) {
    const auto json = capture_json({.drives = 2}, ledger);
    for (const auto& path : layout.directories) {
      write_bytes(path / format::capture_file_name("t", start), std::as_bytes(std::span(json)));
    }
  }
  void write_ledger(const std::string& lines) {
    for (const auto& path : layout.directories) {
      write_bytes(path / format::ledger_file_name("t", start), std::as_bytes(std::span(lines)));
    }
  }

  // Of the first file, after what `change` did to its bytes.
  template <class Change>
  tools::FileVerdict verdict_after(Change change) {
    const auto before = read_bytes(paths[0]);
    auto bytes = before;
    change(bytes);
    write_bytes(paths[0], bytes);
    const auto report = tools::verify({paths[0]});
    write_bytes(paths[0], before);
    return report->files.at(0);
  }
};

bool any_contains(const Lines& lines, const std::string& words) {
  return std::ranges::any_of(lines, [&words](const auto& line) { return line.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("files that are as they were written have no problem, and are counted") {
  Rig rig;
  const auto report = tools::verify(rig.places);
  REQUIRE(report);
  INFO(tools::render_table(*report));
  CHECK(report->problem_count() == 0);
  std::uint64_t packets = 0, bytes = 0;
  for (const auto& file : report->files) {
    packets += file.packets;
    bytes += file.bytes;
  }
  CHECK(packets == rig.trace.size());
  CHECK(bytes == rig.trace.bytes());
  CHECK(nlohmann::json::parse(tools::render_json(*report))["problem_count"] == 0);
}

TEST_CASE("a file larger than what is read at once is verified whole, whatever its records are cut by") {
  TraceSpec spec;
  spec.kind = "jumbo";
  spec.packets = 4000;
  TempDir directory;
  Layout layout;
  layout.directories = {directory.path()};
  layout.streams = 1;
  layout.block_bytes = 1 << 20;
  layout.blocks_per_file = 1000;
  const auto trace = make_trace(spec);
  const auto path = lay_out(trace, layout).at(0);
  REQUIRE(std::filesystem::file_size(path) > 12'000'000);
  const auto report = tools::verify({path});
  CHECK(report->problem_count() == 0);
  CHECK(report->files[0].packets == 4000);
  CHECK(report->files[0].last == trace[3999].time);
}

TEST_CASE("a flipped bit in a packet is found by the Block's checksum") {
  Rig rig;
  const auto verdict = rig.verdict_after([](auto& bytes) { bytes[bytes.size() - 1] ^= std::byte{4}; });
  REQUIRE(verdict.problems.size() == 1);
  CHECK(any_contains(verdict.problems, "does not have the checksum that the index tells"));
}

TEST_CASE("a flipped bit of any record is found") {
  Rig rig;
  const auto size = std::filesystem::file_size(rig.paths[0]);
  for (std::size_t offset = 0; offset < size; offset += offset < 24 ? 1 : 997) {
    INFO("byte " << offset);
    const auto verdict = rig.verdict_after([offset](auto& bytes) { bytes[offset] ^= std::byte{1}; });
    CHECK_FALSE(verdict.problems.empty());
  }
}

TEST_CASE("a damaged length, a cut end and trailing zeros are told with where they are") {
  Rig rig;
  auto verdict = rig.verdict_after([](auto& bytes) {
    const std::uint32_t huge = 0x7fffffff;
    std::memcpy(bytes.data() + 24 + 8, &huge, 4);
  });
  CHECK(any_contains(verdict.problems, "at byte 24 a record claims to be longer than any packet"));
  CHECK(any_contains(verdict.notices, "packets are whole"));
  CHECK(verdict.packets > 0);
  verdict = rig.verdict_after([](auto& bytes) { bytes.resize(bytes.size() - 3); });
  CHECK(any_contains(verdict.problems, "the last record is cut short"));
  CHECK(any_contains(verdict.problems, "its index cannot be used"));
  verdict = rig.verdict_after([](auto& bytes) { bytes.resize(bytes.size() + 4); });
  CHECK(any_contains(verdict.problems, "4 zero bytes follow the last record"));
}

TEST_CASE("times that go back and lengths that cannot be are told") {
  Rig rig;
  std::filesystem::remove(read::index_path(rig.paths[0]));
  auto verdict = rig.verdict_after([](auto& bytes) { bytes[24] = std::byte{0xff}; });
  CHECK(any_contains(verdict.problems, "1 timestamps go back"));
  CHECK(any_contains(verdict.problems, "its first packet is of another time than its name"));
  verdict = rig.verdict_after([](auto& bytes) { bytes[24 + 12] = bytes[24 + 13] = std::byte{0}; });
  CHECK(any_contains(verdict.problems, "longer than they were on the wire"));
  verdict = rig.verdict_after([](auto& bytes) { bytes[16] = std::byte{10}, bytes[17] = bytes[18] = std::byte{0}; });
  CHECK(any_contains(verdict.problems, "longer than the file's snaplen"));
  verdict = rig.verdict_after([](auto& bytes) { bytes[24 + 7] = std::byte{0x7f}; });
  CHECK(any_contains(verdict.problems, "more than a second in their fraction"));
}

TEST_CASE("an index that is gone or newer is worth a note, a damaged one is a problem") {
  Rig rig;
  const auto idx = read::index_path(rig.paths[0]);
  const auto good = read_bytes(idx);
  auto newer = good;
  newer[8] = std::byte{7};
  write_bytes(idx, newer);
  auto verdict = rig.verdict_after([](auto&) {});
  CHECK(verdict.problems.empty());
  CHECK(any_contains(verdict.notices, "newer wirespool"));
  auto damaged = good;
  damaged[100] ^= std::byte{1};
  write_bytes(idx, damaged);
  CHECK(any_contains(rig.verdict_after([](auto&) {}).problems, "it is damaged"));
  std::filesystem::remove(idx);
  verdict = rig.verdict_after([](auto&) {});
  CHECK(verdict.problems.empty());
  CHECK(any_contains(verdict.notices, "no index"));
}

TEST_CASE("an index of other records of the same length is found out") {
  Rig rig;
  auto index = *format::decode_index(read_bytes(read::index_path(rig.paths[0])));
  const auto verdict_with = [&rig](const format::Index& changed) {
    write_bytes(read::index_path(rig.paths[0]), format::encode_index(changed.header, changed.entries));
    return rig.verdict_after([](auto&) {}).problems;
  };
  auto changed = index;
  changed.entries[1].first_record += 1;
  CHECK(any_contains(verdict_with(changed), "points between two records"));
  changed = index;
  changed.entries[1].last.ns -= 1;
  CHECK(any_contains(verdict_with(changed), "1 rows of the index do not agree"));
  changed = index;
  changed.header.bytes += 1;
  CHECK(any_contains(verdict_with(changed), "packet bytes"));
  changed = index;
  changed.header.packets += 1;
  changed.entries.back().packets += 1;
  CHECK(any_contains(verdict_with(changed), "the index tells of"));
}

TEST_CASE("the ledger has to balance, and to agree with the files") {
  Rig rig;
  const auto stored = rig.trace.size(), bytes = rig.trace.bytes();
  rig.write_plan(ledger_of(stored, bytes));
  rig.write_ledger(ledger_of(stored, bytes) + "\n");
  CHECK(tools::verify(rig.places)->problem_count() == 0);
  CHECK(any_contains(tools::verify(rig.places)->captures.at(0).notices, "it lost 3 packets: nic_missed 3"));

  auto of_0_1_0 = nlohmann::json::parse(ledger_of_0_1_0(stored, bytes));
  of_0_1_0["totals"]["filtered"] = 5;
  auto of_today = nlohmann::json::parse(ledger_of(stored, bytes));
  of_today["totals"]["ended_early"] = 5;
  for (auto* line : {&of_0_1_0, &of_today}) {
    (*line)["totals"]["received"] = (*line)["ports"][0]["received"] = stored + 5;
    rig.write_plan(line->dump());
    CHECK(tools::verify(rig.places)->problem_count() == 0);  // what --until ended, under its old name and its own
  }

  rig.write_plan(ledger_of(stored + 1, bytes));
  CHECK(any_contains(tools::verify(rig.places)->captures.at(0).problems, "its files hold 1000"));
  auto wrong = ledger_of(stored, bytes);
  wrong.replace(wrong.find("\"filtered\":0"), 12, "\"filtered\":1");
  rig.write_plan(wrong);
  CHECK(any_contains(tools::verify(rig.places)->captures.at(0).problems, "does not balance"));
  rig.write_plan(ledger_of(stored, bytes));
  rig.write_ledger(wrong + "\n" + ledger_of(stored, bytes) + "\n");
  CHECK(any_contains(tools::verify(rig.places)->captures.at(0).problems, "1 lines of its ledger do not balance"));
}

TEST_CASE("an unreadable capture.json is a fault that verify finds, whether the capture has ended or not") {
  Rig rig;
  const auto broken = rig.layout.directories[1] / format::capture_file_name("t", start);
  for (const bool ended : {false, true}) {
    rig.write_plan(ended ? ledger_of(rig.trace.size(), rig.trace.bytes()) : "null");
    CHECK(tools::verify(rig.places)->problem_count() == 0);
    write_bytes(broken, std::as_bytes(std::span(std::string_view("{\"wirespool\":"))));
    const auto report = tools::verify(rig.places);
    CHECK(report->problem_count() == 1);
    CHECK(any_contains(report->captures.at(0).problems, ".capture.json: it is no JSON object"));
  }
}

TEST_CASE("lines of a ledger that make no sense are told by number, and counted") {
  Rig rig;
  const auto good = ledger_of(rig.trace.size(), rig.trace.bytes()) + "\n";
  rig.write_plan(ledger_of(rig.trace.size(), rig.trace.bytes()));
  std::string lines = good + R"({"time":"2026-01-01T00:00:01Z"})" + "\n";
  for (int i = 0; i < 30; ++i) lines += "nonsense\n";
  write_bytes(rig.layout.directories[0] / format::ledger_file_name("t", start), std::as_bytes(std::span(lines)));
  const auto report = tools::verify(rig.places);
  const auto& verdict = report->captures.at(0);
  CHECK(verdict.skipped_lines == 31);
  CHECK(any_contains(verdict.problems, "line 2 is skipped: elapsed_ns is missing"));
  CHECK(any_contains(verdict.problems, "11 more lines are skipped"));
  CHECK(nlohmann::json::parse(tools::render_json(*report))["captures"][0]["skipped_ledger_lines"] == 31);
  const auto listed = nlohmann::json::parse(tools::render_json(*tools::ls({rig.places})));
  CHECK(listed["captures"][0]["skipped_ledger_lines"] == 31);
}

TEST_CASE("a counter that a device does not have is unknown wherever losses are told, never 0") {
  Rig rig;
  auto line = nlohmann::json::parse(ledger_of(rig.trace.size(), rig.trace.bytes()));
  line["ports"][0]["no_mbuf"] = nullptr;
  rig.write_plan(line.dump());
  rig.write_ledger(line.dump() + "\n");
  const auto report = tools::ls({rig.places});
  const auto json = nlohmann::json::parse(tools::render_json(*report))["captures"][0];
  for (const auto& losses : {json["losses"], json["files"][0]["losses"]}) {
    CHECK(losses["no_mbuf"].is_null());
    CHECK(losses["nic_errors"] == 0);
    CHECK(losses["nic_missed"] == 3);
    CHECK(losses["lost"] == 3);
  }
  CHECK(tools::render_table(*report).find("lost nic_missed 3  unknown no_mbuf") != std::string::npos);
  const auto verdict = tools::verify(rig.places)->captures.at(0);
  CHECK(verdict.problems.empty());
  CHECK(any_contains(verdict.notices, "it may have lost more: nobody counted no_mbuf"));
}

TEST_CASE("a capture that wrote no ledger line has unknown losses, not none") {
  Rig rig;
  rig.write_plan("null");
  const auto report = tools::ls({rig.places});
  CHECK(nlohmann::json::parse(tools::render_json(*report))["captures"][0]["losses"].is_null());
  CHECK(tools::render_table(*report).find("lost unknown") != std::string::npos);
}

TEST_CASE("ls tells of times of more than a second in which no file has a packet, and of no shorter ones") {
  const TempDir directory;
  const auto second = std::uint64_t{1'000'000'000};
  unsigned sequence = 0;
  std::vector<Trace> traces;
  for (const auto pause_ns : {std::uint64_t{0}, second, second + 1}) {
    TraceSpec spec;
    spec.packets = 10;
    spec.start = Timestamp{traces.empty() ? start.ns + second : traces.back()[9].time.ns + pause_ns};
    spec.first_number = 10 * sequence;
    traces.push_back(make_trace(spec));
    const auto path = directory / format::format_file_name({"t", traces.back()[0].time, 0, sequence++});
    write_bytes(path, pcap_bytes(traces.back()));
    REQUIRE(tools::make_indices({{path.string()}, format::IndexLevel::time, false})->complete());
  }
  const auto plan = capture_json({.drives = 1}, "null");
  write_bytes(directory / format::capture_file_name("t", start), std::as_bytes(std::span(plan)));
  const auto listed = tools::ls({{directory.str()}});
  REQUIRE(listed);
  REQUIRE(listed->captures.size() == 1);
  const auto& gaps = listed->captures[0].gaps;
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].from == traces[1][9].time);
  CHECK(gaps[0].to == traces[2][0].time);
  CHECK_THAT(tools::render_table(*listed), Catch::Contains("no packet from "));
}

TEST_CASE("what was lost before the oldest line of a ledger that lost its first ones is unknown, not none") {
  Rig rig;
  const auto end = rig.trace[rig.trace.size() - 1].time;
  const auto line_at = [&](std::uint64_t time_ns, std::uint64_t dropped, std::uint64_t gone, bool final) {
    auto line = ledger_line(Timestamp{time_ns}, rig.trace.size(), rig.trace.bytes(), dropped, final);
    line.lines_gone = gone;
    return format::encode_ledger_line(line);
  };
  const auto last = line_at(end.ns + 1'000'000'000, 7, 0, true);
  rig.write_plan(last);
  const auto losses_of_first_file = [&](std::uint64_t lines_gone) {
    rig.write_ledger(line_at(end.ns + 1, 7, lines_gone, false) + "\n" + last + "\n");
    const auto listed = tools::ls({rig.places});
    REQUIRE(listed);
    return nlohmann::json::parse(tools::render_json(*listed))["captures"][0]["files"][0]["losses"];
  };
  CHECK(losses_of_first_file(0).is_object());
  CHECK(losses_of_first_file(3).is_null());
}

TEST_CASE("a part of a capture's drives is not counted up against its ledger") {
  Rig rig;
  rig.write_plan(ledger_of(rig.trace.size(), rig.trace.bytes()));
  const auto report = tools::verify({rig.places[0]});
  CHECK(report->problem_count() == 0);
  CHECK(any_contains(report->captures.at(0).notices, "2 directories, 1 of them were looked at"));
}

TEST_CASE("a capture without an end, and files it left unsealed, are told") {
  Rig rig;
  rig.write_plan("null");
  rig.write_ledger(ledger_of(10, 10, 0, false) + "\n{\"time\":\"2026-");
  auto report = tools::verify(rig.places);
  CHECK(report->problem_count() == 0);
  CHECK(any_contains(report->captures.at(0).notices, "did not come to its end"));
  write_bytes(rig.layout.directories[0] / format::hidden_file_name({"t", start, 0, 7}), pcap_bytes(rig.trace));
  report = tools::verify(rig.places);
  CHECK(report->problem_count() == 1);
  CHECK(any_contains(report->problems, "`wirespool repair`"));
}

TEST_CASE("wirespool index makes what is missing, keeps what is good, and makes better ones") {
  Rig rig;
  std::filesystem::remove(read::index_path(rig.paths[0]));
  auto report = tools::make_indices({rig.places, format::IndexLevel::time, false});
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(std::ranges::count(report->files, tools::IndexedFile::Outcome::made, &tools::IndexedFile::outcome) == 1);
  report = tools::make_indices({rig.places, format::IndexLevel::flow, false});
  CHECK(std::ranges::count(report->files, tools::IndexedFile::Outcome::made, &tools::IndexedFile::outcome) ==
        static_cast<std::ptrdiff_t>(rig.paths.size()));
  report = tools::make_indices({rig.places, format::IndexLevel::time, false});
  CHECK(std::ranges::count(report->files, tools::IndexedFile::Outcome::kept, &tools::IndexedFile::outcome) ==
        static_cast<std::ptrdiff_t>(rig.paths.size()));
  CHECK(tools::verify(rig.places)->problem_count() == 0);
}

TEST_CASE("wirespool index refuses a file it cannot read to its end, and goes on with the others") {
  Rig rig;
  auto bytes = read_bytes(rig.paths[0]);
  bytes.pop_back();
  write_bytes(rig.paths[0], bytes);
  const auto pcapng = rig.directory / "x.pcapng";
  write_bytes(pcapng, pcapng_bytes(rig.trace));
  auto places = rig.places;
  places.push_back(pcapng.string());
  const auto report = tools::make_indices({places, format::IndexLevel::flow, true});
  CHECK_FALSE(report->complete());
  const auto text = tools::render_table(*report);
  CHECK(text.find("cut short") != std::string::npos);
  CHECK(text.find("only pcap files have an index") != std::string::npos);
  CHECK(std::ranges::count(report->files, tools::IndexedFile::Outcome::made, &tools::IndexedFile::outcome) ==
        static_cast<std::ptrdiff_t>(rig.paths.size() - 1));
}

namespace {

std::string time_text(std::uint64_t seconds_after_start) {
  return rfc3339(Timestamp{start.ns + seconds_after_start * 1'000'000'000});
}

std::string line_at(const std::string& time, std::uint64_t stored, std::uint64_t bytes, bool final = false) {
  auto line = nlohmann::json::parse(ledger_of(stored, bytes, 0, final));
  line["time"] = time;
  return line.dump();
}

// A capture that begins two hours ahead; after its first line the clock is put right, which ends its files.
struct SetBack {
  TempDir directory;
  Trace ahead, right;
  Timestamp began{start.ns + 7200 * std::uint64_t{1'000'000'000}};
  std::vector<std::string> places{directory.str()};

  explicit SetBack(std::uint32_t mark, bool with_ledger = true) {
    TraceSpec spec;
    spec.packets = 300;
    spec.start = Timestamp{began.ns + 1'000'000'000};
    ahead = make_trace(spec);
    spec.start = Timestamp{start.ns + 3 * std::uint64_t{1'000'000'000}};
    spec.first_number = 300;
    right = make_trace(spec);
    write(ahead, 0, mark);
    write(right, 1, mark);
    const auto stored = ahead.size() + right.size(), bytes = ahead.bytes() + right.bytes();
    const auto final = line_at(time_text(4), stored, bytes, true);
    const auto plan = capture_json({.drives = 1}, final);
    write_bytes(directory / format::capture_file_name("t", began), std::as_bytes(std::span(plan)));
    if (!with_ledger) return;
    const auto lines = line_at(time_text(7202), ahead.size(), ahead.bytes()) + "\n" +
                       line_at(time_text(3), ahead.size(), ahead.bytes()) + "\n" + final + "\n";
    write_bytes(directory / format::ledger_file_name("t", began), std::as_bytes(std::span(lines)));
  }

  void write(const Trace& trace, unsigned sequence, std::uint32_t mark) {
    const auto path = directory / format::format_file_name({"t", trace[0].time, 0, sequence});
    write_bytes(path, pcap_bytes(trace));
    auto file = SpoolFile::open(path.string());
    read::IndexBuilder builder({format::IndexLevel::time, 4096, true, mark});
    while (const auto* packet = file->next()) builder.add(*packet);
    write_bytes(read::index_path(path),
                builder.finish(std::span<const std::byte>(read_bytes(path)).first(24), file->size()));
  }
};

void is_one_capture_and_whole(const SetBack& capture) {
  const auto report = tools::verify(capture.places);
  INFO(tools::render_table(*report));
  CHECK(report->problem_count() == 0);
  CHECK(report->captures.size() == 1);
  const auto listed = tools::ls({capture.places});
  INFO(tools::render_table(*listed));
  REQUIRE(listed->captures.size() == 1);
  CHECK(listed->captures[0].start == capture.began);
  CHECK(listed->captures[0].files.size() == 2);
}

}  // namespace

TEST_CASE("a clock set back while capturing: verify finds no fault, and ls one capture") {
  SECTION("the index tells which capture a file is of") {
    is_one_capture_and_whole(SetBack(format::capture_mark(SetBack(0).began), false));
  }
  SECTION("an index of 0.1.0 does not, but the ledger went with the clock") {
    const SetBack capture(0);
    is_one_capture_and_whole(capture);
    const auto verdict = tools::verify(capture.places)->captures.at(0);
    CHECK(any_contains(verdict.notices, "its clock was set back from " + time_text(7202) + " to " + time_text(3)));
    CHECK(tools::ls({capture.places})->captures[0].gaps.empty());
  }
}

TEST_CASE("another capture that began meanwhile by the right clock does not get the files of one that was ahead") {
  const SetBack capture(format::capture_mark(SetBack(0).began));
  const auto plan = capture_json({.drives = 1}, line_at(time_text(7201), 0, 0, true));
  const auto other = Timestamp{capture.began.ns + 500'000'000};
  write_bytes(capture.directory / format::capture_file_name("t", other), std::as_bytes(std::span(plan)));
  CHECK(tools::verify(capture.places)->problem_count() == 0);
}

TEST_CASE("an index made again keeps which capture its file is of") {
  const SetBack capture(format::capture_mark(SetBack(0).began), false);
  REQUIRE(tools::make_indices({capture.places, format::IndexLevel::flow, true})->complete());
  is_one_capture_and_whole(capture);
}

TEST_CASE("what a capture lost is told of the files of that time, before and after its clock was set back") {
  std::vector<tools::LedgerPoint> points;
  const auto add = [&points](std::uint64_t seconds, std::uint64_t lost) {
    tools::LedgerPoint point;
    point.time = Timestamp{start.ns + seconds * 1'000'000'000};
    point.losses.drop_handoff = lost;
    points.push_back(point);
  };
  add(7201, 1), add(7202, 10), add(5, 10), add(6, 17);
  const auto lost = [&points](std::uint64_t from, std::uint64_t to) {
    return tools::losses_between(points, Timestamp{start.ns + from * 1'000'000'000},
                                 Timestamp{start.ns + to * 1'000'000'000})
        .drop_handoff;
  };
  CHECK(lost(7201, 7202) == 9);
  CHECK(lost(5, 6) == 7);
  CHECK(lost(7200, 7201) == 1);
}

TEST_CASE(
    "how far a file's times may be from UTC is the widest bound of its ledger lines, and unknown if one does not "
    "know") {
  std::vector<tools::LedgerPoint> points;
  const auto at = [](std::uint64_t seconds) { return Timestamp{start.ns + seconds * 1'000'000'000}; };
  const auto add = [&](std::uint64_t seconds, std::optional<std::uint64_t> error_ns) {
    points.push_back(
        {at(seconds), {}, format::ClockBound{.source = "tsc", .discipline = "kernel", .error_ns = error_ns}});
  };
  add(1, 100), add(2, 900), add(3, 200), add(4, std::nullopt);
  const auto error = [&](std::uint64_t from, std::uint64_t to) {
    return tools::clock_between(points, at(from), at(to))->error_ns;
  };
  CHECK(error(0, 1) == 100);
  CHECK(error(0, 3) == 900);
  CHECK(error(3, 3) == 200);
  CHECK(error(3, 4) == std::nullopt);
  CHECK_FALSE(tools::clock_between(points, at(1), at(5)));  // nothing tells of the end
  CHECK_FALSE(tools::clock_between(points, at(5), at(6)));
  CHECK_FALSE(tools::clock_between({}, at(1), at(2)));
  points[1].clock->source = "hw";
  CHECK(tools::clock_between(points, at(0), at(3))->source == "mixed");
  points[1].clock.reset();
  CHECK_FALSE(tools::clock_between(points, at(0), at(3)));
}

TEST_CASE("packets that a failed drive had taken after all are known surplus, not a fault; other surplus is one") {
  Rig rig;
  auto line = nlohmann::json::parse(ledger_of(rig.trace.size() - 40, rig.trace.bytes() - 40 * 2000));
  line["totals"]["rehomed"] = 40;
  rig.write_plan(line.dump());
  auto verdict = tools::verify(rig.places)->captures.at(0);
  CHECK(verdict.problems.empty());
  CHECK(any_contains(verdict.notices, "40 packets more than the 960"));
  line["totals"]["rehomed"] = 39;
  rig.write_plan(line.dump());
  CHECK(any_contains(tools::verify(rig.places)->captures.at(0).problems, "its files hold 1000"));
}

TEST_CASE("a file cut between two records while files are verified does not pass") {
  const TempDir directory;
  const auto trace = make_trace({.kind = "590", .packets = 200});
  const auto first = directory / "a.pcap", second = directory / "b.pcap";
  for (const auto& path : {first, second}) write_bytes(path, pcap_bytes(trace));
  std::vector<std::uint64_t> offsets;
  auto file = SpoolFile::open(second.string());
  while (const auto* packet = file->next()) offsets.push_back(packet->offset);
  const auto report = tools::verify({first.string(), second.string()}, [&](const tools::FileVerdict& verdict) {
    if (verdict.path == first.string()) std::filesystem::resize_file(second, offsets.at(150));
  });
  REQUIRE(report);
  REQUIRE(report->files.size() == 2);
  CHECK(report->files[0].problems.empty());
  REQUIRE(report->files[1].problems.size() == 1);
  CHECK(report->files[1].problems[0].starts_with("it was cut to "));
}

TEST_CASE("verifying ends when it is told to, without a verdict") {
  const TempDir directory;
  const auto first = directory / "a.pcap", second = directory / "b.pcap";
  for (const auto& path : {first, second}) write_bytes(path, pcap_bytes(make_trace({.packets = 200})));
  std::atomic<bool> stop{false};
  unsigned looked_at = 0;
  const auto report = tools::verify(
      {first.string(), second.string()},
      [&](const tools::FileVerdict&) {
        ++looked_at;
        stop = true;
      },
      &stop);
  REQUIRE_FALSE(report);
  CHECK(report.error().why == "it was stopped before its end");
  CHECK(looked_at == 1);
}
