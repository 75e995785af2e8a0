// SPDX-License-Identifier: BSD-3-Clause
#include "format/ledger_line.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "support/catch.hpp"
#include "support/random.hpp"

using namespace wirespool;
using namespace wirespool::format;
using wirespool::test::Random;
using Json = nlohmann::json;

namespace {

std::string text_of(Random& random) {
  static const std::vector<std::string> pieces = {"a", "\"", "\\", "\n", "\u00fc", "\u2028", "{", " ", "\x01", "z9"};
  std::string text;
  for (auto left = random.below(6); left > 0; --left) text += pieces[random.below(pieces.size())];
  return text;
}

// Small ones and those of all 64 bits.
std::uint64_t count_of(Random& random) { return random.next() >> random.below(64); }
std::int64_t signed_count_of(Random& random) { return static_cast<std::int64_t>(random.next()) >> random.below(63); }
bool maybe(Random& random) { return random.below(2) == 0; }
Timestamp time_of(Random& random) { return {count_of(random)}; }

std::optional<std::uint64_t> maybe_count(Random& random) {
  return maybe(random) ? std::optional(count_of(random)) : std::nullopt;
}

OtherFields others_of(Random& random) {
  static const OtherFields all = {{"x_array", "[1,2.5,\"b\"]"}, {"x_null", "null"}, {"x_object", "{\"y\":{\"z\":-1}}"}};
  OtherFields others;
  for (const auto& field : all)
    if (random.below(4) == 0) others.push_back(field);
  return others;
}

template <class Make>
auto several(Random& random, Make make) {
  std::vector<decltype(make(random))> lines;
  for (auto left = random.below(4); left > 0; --left) lines.push_back(make(random));
  return lines;
}

QueueLine queue_of(Random& random) {
  return {static_cast<unsigned>(random.below(1024)), count_of(random), count_of(random), others_of(random)};
}

PeakLine peak_of(Random& random) { return {count_of(random), count_of(random), count_of(random), others_of(random)}; }

HoleLine hole_of(Random& random) { return {time_of(random), time_of(random), others_of(random)}; }

PortLine port_of(Random& random) {
  PortLine port{.port = static_cast<unsigned>(random.next() >> 32), .name = text_of(random)};
  for (auto* counter : {&port.received, &port.received_bytes}) *counter = count_of(random);
  for (auto* counter : {&port.nic_missed, &port.nic_errors, &port.no_mbuf, &port.nic_other, &port.refills_failed,
                        &port.stamps_refused, &port.cut_by_driver})
    *counter = maybe_count(random);
  if (maybe(random)) port.not_counted = {{"nic_errors", text_of(random)}, {"nic_missed", text_of(random)}};
  port.stats_failed = maybe(random);
  if (maybe(random)) port.xstats = {{"a", count_of(random)}, {"rx_b", count_of(random)}};
  port.queues = several(random, queue_of);
  port.peaks = several(random, peak_of);
  if (maybe(random))
    port.holes = HolesLine{count_of(random), count_of(random),         count_of(random),
                           count_of(random), several(random, hole_of), others_of(random)};
  port.others = others_of(random);
  return port;
}

Totals totals_of(Random& random) {
  Totals totals;
  for (auto* counter : {&totals.received, &totals.received_bytes, &totals.ended_early, &totals.filtered, &totals.cut,
                        &totals.stored, &totals.stored_bytes, &totals.sliced, &totals.trimmed, &totals.drop_handoff,
                        &totals.drop_drive, &totals.beyond_limit, &totals.rehomed})
    *counter = count_of(random);
  totals.in_flight = signed_count_of(random);
  totals.lost = maybe_count(random);
  totals.others = others_of(random);
  return totals;
}

StageLine stage_of(Random& random) {
  return {.stage = text_of(random),
          .unit = text_of(random),
          .in_flight = signed_count_of(random),
          .imbalance = signed_count_of(random),
          .where = text_of(random),
          .others = others_of(random)};
}

AwayLine away_of(Random& random) {
  AwayLine away{.from = time_of(random), .to = std::nullopt, .why = text_of(random), .others = others_of(random)};
  if (maybe(random)) away.to = time_of(random);
  return away;
}

DriveLine drive_of(Random& random) {
  DriveLine drive{.path = text_of(random), .state = text_of(random), .why = text_of(random)};
  for (auto* counter : {&drive.blocks, &drive.bytes, &drive.inflight, &drive.files, &drive.unsynced, &drive.taken_back})
    *counter = count_of(random);
  drive.away = several(random, away_of);
  drive.write_latency_ns = {count_of(random), count_of(random), count_of(random), others_of(random)};
  if (maybe(random)) drive.write_durations = {count_of(random), several(random, count_of), others_of(random)};
  if (maybe(random)) drive.removed = {count_of(random), count_of(random), count_of(random), others_of(random)};
  drive.others = others_of(random);
  return drive;
}

ArchiveLine archive_of(Random& random) {
  return {.path = text_of(random),
          .state = text_of(random),
          .why = text_of(random),
          .files = count_of(random),
          .packets = count_of(random),
          .bytes = count_of(random),
          .others = others_of(random)};
}

LcoreLine lcore_of(Random& random) {
  LcoreLine lcore{.lcore = static_cast<unsigned>(random.below(4096)), .role = text_of(random)};
  lcore.busy = static_cast<double>(random.below(1u << 20)) / (1u << 20);
  lcore.packets = count_of(random);
  lcore.waits = count_of(random);
  lcore.asleep_ns = count_of(random);
  lcore.overslept = count_of(random);
  if (maybe(random)) lcore.cycles = {{"idle", count_of(random)}, {"rx", count_of(random)}};
  lcore.others = others_of(random);
  return lcore;
}

ClockBound clock_of(Random& random) {
  return {.source = maybe(random) ? "tsc" : "hw",
          .discipline = maybe(random) ? "kernel" : "",
          .error_ns = maybe_count(random),
          .line_error_ns = maybe_count(random),
          .kernel_max_error_ns = maybe_count(random),
          .kernel_estimated_error_ns = maybe_count(random),
          .longest_sleep_ns = count_of(random),
          .others = others_of(random)};
}

GapLine gap_of(Random& random) {
  GapLine gap;
  gap.port = static_cast<unsigned>(random.below(64));
  gap.from = time_of(random);
  if (maybe(random)) gap.to = time_of(random);
  gap.why = text_of(random);
  gap.others = others_of(random);
  return gap;
}

LedgerLine line_of(Random& random) {
  LedgerLine line;
  line.time = time_of(random);
  line.elapsed_ns = count_of(random);
  line.final = maybe(random);
  line.ended_by = text_of(random);
  line.ports = several(random, port_of);
  line.totals = totals_of(random);
  line.stages = several(random, stage_of);
  line.imbalance = text_of(random);
  line.drives = several(random, drive_of);
  line.archives = several(random, archive_of);
  if (maybe(random)) line.blocks = {count_of(random), count_of(random), count_of(random), others_of(random)};
  line.lcores = several(random, lcore_of);
  if (maybe(random)) line.clock = clock_of(random);
  line.gaps = several(random, gap_of);
  if (maybe(random)) line.totals.headers_only = count_of(random);
  if (maybe(random)) {
    line.flows = FlowsLine{.packets = count_of(random), .not_ip = count_of(random), .open = count_of(random)};
    for (auto* count : {&line.flows->ended, &line.flows->full, &line.flows->lost, &line.flows->lost_packets,
                        &line.flows->written, &line.flows->written_packets, &line.flows->unwritten, &line.flows->files})
      *count = count_of(random);
    line.flows->others = others_of(random);
  }
  if (maybe(random)) line.on_seal = OnSealLine{count_of(random), count_of(random), count_of(random), others_of(random)};
  line.unsaid.texts = several(random, text_of);
  line.unsaid.more = count_of(random);
  if (maybe(random)) line.lines_gone = count_of(random);
  line.others = others_of(random);
  return line;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The text of the fenced block that begins with ```json, without its line breaks.
std::string json_of_readme() {
  std::string json;
  bool inside = false;
  for (const auto& line : lines_of(WIRESPOOL_FORMAT_README)) {
    if (line == "```") inside = false;
    if (inside) json += line;
    if (line == "```json") inside = true;
  }
  return json;
}

// The first line of README.md's example.
LedgerLine example() {
  constexpr std::uint64_t second = 1'000'000'000, start = 1'795'247'670'123'456'789;
  LedgerLine line;
  line.time = Timestamp{start + second};
  line.elapsed_ns = second;
  line.ports = {{.port = 0, .name = "0000:3b:02.0", .received = 1000, .received_bytes = 776000, .nic_missed = 7}};
  line.ports[0].nic_errors.reset();
  line.ports[0].queues = {{0, 600, 465600, {}}, {1, 400, 310400, {}}};
  line.ports[0].peaks = {{100'000, 120, 93120, {}}, {1'000'000, 300, 232800, {}}, {10'000'000, 410, 318160, {}}};
  line.ports[0].holes = HolesLine{2, 31'000'000, 20'000'000, 0, {}, {}};
  line.ports[0].holes->latest = {{Timestamp{start + 500'000'000}, Timestamp{start + 520'000'000}, {}}};
  line.ports[0].not_counted = {{"nic_errors", "net_iavf has no such counter"}};
  line.totals = {.received = 1000, .received_bytes = 776000, .stored = 900, .stored_bytes = 698400, .drop_handoff = 3};
  line.totals.in_flight = 97;
  line.totals.lost = 10;
  line.stages = {{.stage = "rx"}, {.stage = "handoff", .in_flight = 37}, {.stage = "writer", .in_flight = 60}};
  line.drives = {{.path = "/data/nvme0", .state = "ok", .blocks = 1, .bytes = 1048576, .files = 1}};
  line.drives[0].write_latency_ns = {400000, 500000, 512345, {}};
  line.drives[0].write_durations = {400000, {0, 0, 0, 0, 0, 1}, {}};
  line.blocks = BlocksLine{.free = 30, .open = 1, .full = 1};
  line.lcores = {{.lcore = 3, .role = "rx", .busy = 0.25, .packets = 1000, .asleep_ns = 850000000},
                 {.lcore = 4, .role = "writer", .busy = 0.125, .packets = 900, .waits = 2}};
  line.clock = ClockBound{.source = "tsc",
                          .discipline = "kernel",
                          .error_ns = 1275300,
                          .line_error_ns = 3300,
                          .kernel_max_error_ns = 1200000,
                          .kernel_estimated_error_ns = 40000,
                          .longest_sleep_ns = 72000};
  return line;
}

}  // namespace

TEST_CASE("any ledger line reads back as what it was written of, unknown fields and unknown counters included") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    const auto line = line_of(random);
    const auto text = encode_ledger_line(line);
    INFO(text);
    CHECK(text.find('\n') == std::string::npos);
    const auto back = decode_ledger_line(text);
    REQUIRE(back);
    CHECK(*back == line);
    CHECK(encode_ledger_line(*back) == text);
  }
}

TEST_CASE("a line without one of its fields is refused by the name of that field") {
  auto line = example();
  line.archives = {{.path = "/slow", .state = "ok", .files = 2, .packets = 9, .bytes = 900}};
  const auto whole = Json::parse(encode_ledger_line(line));
  // 0.1.0 did not write these; the last one is there only if it says something.
  const std::vector<std::string> may_lack = {"/totals/ended_early",
                                             "/totals/cut",
                                             "/clock",
                                             "/totals/lost",
                                             "/totals/sliced",
                                             "/stages",
                                             "/ports/0/not_counted",
                                             "/ports/0/queues",
                                             "/ports/0/peaks",
                                             "/ports/0/holes",
                                             "/drives/0/write_durations",
                                             "/blocks",
                                             "/lcores/0/asleep_ns",
                                             "/lcores/0/overslept",
                                             "/lcores/1/asleep_ns",
                                             "/lcores/1/overslept",
                                             "/archives"};
  std::size_t refused = 0;
  const auto fields = whole.flatten();
  for (const auto& [pointer, value] : fields.items()) {
    auto path = Json::json_pointer(pointer);
    for (; !path.empty(); path.pop_back()) {
      if (!path.empty() && path.back().find_first_not_of("0123456789") == std::string::npos) continue;  // an element
      const auto text = path.to_string();
      if (text == "/clock/longest_sleep_ns") continue;  // 0.2.0 did not write it
      if (std::ranges::any_of(may_lack, [&text](const auto& name) { return text.starts_with(name); })) {
        if (!text.starts_with("/stages/") && !text.starts_with("/clock/") && !text.starts_with("/archives/")) continue;
      }
      auto less = whole;
      less.at(path.parent_pointer()).erase(path.back());
      const auto decoded = decode_ledger_line(less.dump());
      INFO(text);
      REQUIRE_FALSE(decoded);
      CHECK(decoded.error().ends_with(path.back() + " is missing"));
      ++refused;
    }
  }
  CHECK(refused > 40);
}

TEST_CASE("what was left out on request keeps its meaning where 0.1.0 called it filtered") {
  auto json = Json::parse(encode_ledger_line(example()));
  json["totals"].erase("ended_early");
  json["totals"]["filtered"] = 5;
  const auto line = decode_ledger_line(json.dump());
  REQUIRE(line);
  CHECK(line->totals.ended_early == 5);
  CHECK(line->totals.filtered == 0);
}

TEST_CASE("a field of another kind is refused by its name and place") {
  const auto error_with = [](const char* pointer, const Json& value) {
    auto json = Json::parse(encode_ledger_line(example()));
    json[Json::json_pointer(pointer)] = value;
    return decode_ledger_line(json.dump()).error();
  };
  CHECK(error_with("/totals/stored", -1) == "totals.stored is no count");
  CHECK(error_with("/totals/stored", nullptr) == "totals.stored is no count");
  CHECK(error_with("/totals/in_flight", UINT64_MAX) == "totals.in_flight is no number of 64 bits with a sign");
  CHECK(error_with("/ports/0/port", 1ull << 32) == "ports[0].port is too large");
  CHECK(error_with("/ports/0", 7) == "ports[0] is no object");
  CHECK(error_with("/lcores/1/role", 7) == "lcores[1].role is no text");
  CHECK(error_with("/drives/0/write_latency_ns/p99", "1") == "drives[0].write_latency_ns.p99 is no count");
  CHECK(error_with("/clock/source", std::string(33, 'x')) == "clock.source is no word");
  CHECK(error_with("/drives/0/write_durations/counts", 7) == "drives[0].write_durations.counts is no array");
  CHECK(error_with("/drives/0/write_durations/counts", {1, -1}) ==
        "drives[0].write_durations.counts holds something that is no count");
  CHECK(error_with("/drives/0/write_durations/counts", std::vector(65, 1)) ==
        "drives[0].write_durations.counts are more than 64");
  CHECK(error_with("/time", "yesterday") == "time is no UTC time as RFC 3339 has it");
  CHECK(error_with("/final", "yes") == "final is neither true nor false");
  CHECK(decode_ledger_line("[]").error() == "it is no JSON object");
  CHECK(decode_ledger_line("{\"time\":\"2026-").error() == "it is no JSON object");
}

TEST_CASE("fields that nobody knows are kept up to a bound, so that a hostile line takes no more than its length") {
  auto json = Json::parse(encode_ledger_line(example()));
  for (int i = 0; i < 300; ++i) json["totals"]["x" + std::to_string(i)] = i;
  CHECK(decode_ledger_line(json.dump()).error() == "totals.* are more than 256 fields that nobody knows");
  CHECK_FALSE(decode_ledger_line(std::string(100'000, '[')));
}

TEST_CASE("text that is not UTF-8 does not keep a line from being written") {
  auto line = example();
  line.drives[0].path = "/data/\xff";
  const auto back = decode_ledger_line(encode_ledger_line(line));
  REQUIRE(back);
  CHECK(back->drives[0].path == "/data/\xef\xbf\xbd");
}

TEST_CASE("the example of the page on formats is what is written") {
  CHECK(json_of_readme() == encode_ledger_line(example()));
  const auto back = decode_ledger_line(json_of_readme());
  REQUIRE(back);
  CHECK(*back == example());
}

TEST_CASE("a ledger that 0.1.0 wrote is read whole") {
  const auto lines = lines_of(WIRESPOOL_SAMPLES "/0.1.0.ledger.jsonl");
  REQUIRE(lines.size() == 2);
  const auto first = decode_ledger_line(lines[0]), last = decode_ledger_line(lines[1]);
  REQUIRE(first);
  REQUIRE(last);
  CHECK_FALSE(first->final);
  CHECK(first->totals.in_flight == 87);
  CHECK(last->final);
  CHECK(last->ended_by == "SIGINT");
  CHECK(last->totals.ended_early == 10);
  CHECK(last->totals.stored == 985);
  CHECK_FALSE(last->totals.lost);
  CHECK(last->stages.empty());
  CHECK(last->ports.at(0).nic_missed == 5);
  CHECK(last->drives.at(1).why == "write: Input/output error");
  CHECK(last->archives.empty());
  CHECK(last->on_seal->pending == 1);
  CHECK(last->others.empty());
}
