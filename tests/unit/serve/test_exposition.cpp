// SPDX-License-Identifier: BSD-3-Clause
#include "serve/exposition.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "stats/losses.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using namespace wirespool;
using namespace wirespool::serve;
using format::LedgerLine;
using wirespool::test::Random;

namespace {

constexpr std::uint64_t second = 1'000'000'000, start = 1'795'247'670'123'456'789;

AboutCapture about() { return {"0.2.0", "DPDK 22.11.11", Timestamp{start}}; }

// Two ports, of which one counts no nic_errors and has been away; two drives, one full.
LedgerLine line_of_two_ports() {
  LedgerLine line;
  line.time = Timestamp{start + 10 * second};
  line.ports = {{.port = 0, .name = "0000:3b:02.0", .received = 1000, .received_bytes = 776000, .nic_missed = 7},
                {.port = 3, .name = "net_af_packet0", .received = 5, .received_bytes = 320, .nic_missed = 2}};
  line.ports[0].queues = {{0, 600, 465600, {}}, {1, 400, 310400, {}}};
  line.ports[1].queues = {{0, 5, 320, {}}};
  line.ports[0].peaks = {{100'000, 120, 93120, {}}, {10'000'000, 410, 318160, {}}};
  line.ports[1].holes = format::HolesLine{2, 31'000'000, 0, 0, {}, {}};
  line.ports[1].nic_errors.reset();
  line.ports[1].not_counted = {{"nic_errors", "net_af_packet has no such counter"}};
  line.ports[1].cut_by_driver = 1;
  line.totals = {.received = 1005,
                 .filtered = 4,
                 .cut = 11,
                 .stored = 900,
                 .stored_bytes = 698400,
                 .sliced = 8,
                 .trimmed = 6,
                 .drop_handoff = 3};
  line.totals.in_flight = 87;
  line.totals.headers_only = 5;
  line.drives = {{.path = "/data/nvme0", .state = "ok", .blocks = 4, .bytes = 4194304, .inflight = 2, .files = 1},
                 {.path = "/data/nvme1", .state = "full", .why = "write: No space left on device"}};
  line.archives = {{.path = "/slow", .state = "ok", .files = 2, .packets = 9}, {.path = "/b", .state = "full"}};
  line.drives[0].taken_back = 3;
  line.drives[0].write_durations = {2'000'000, {1, 0, 2, 1}, {}};
  line.flows = format::FlowsLine{.packets = 990, .open = 12, .ended = 40, .full = 3, .written = 37, .unwritten = 3};
  line.blocks = format::BlocksLine{.free = 30, .open = 1, .full = 1};
  line.lcores = {{.lcore = 3, .role = "rx", .waits = 0, .asleep_ns = 7'250'000'000},
                 {.lcore = 4, .role = "writer", .waits = 2, .overslept = 5}};
  line.clock = format::ClockBound{.source = "tsc", .discipline = "kernel", .error_ns = 1'203'300};
  format::GapLine over, open;
  over.port = open.port = 3;
  over.from = Timestamp{start + second};
  over.to = Timestamp{start + 3 * second};
  open.from = Timestamp{start + 9 * second};
  line.gaps = {over, open};
  return line;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What is wrong with a page by the grammar of its form and the rules on families; written from the two specifications,
// not from the program. Empty: nothing.
std::string check_page(const std::string& page, Form form) {
  static const std::regex comment(R"(# (HELP|TYPE) ([a-z_]+) (.+))");
  static const std::regex sample(
      R"re(([a-z_]+)(\{([a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*)\})? (-?[0-9]+(\.[0-9]+)?))re");
  if (!page.ends_with("\n")) return "no end of line at the end";
  auto lines = lines_of(page);
  if (form == Form::openmetrics) {
    if (lines.back() != "# EOF") return "no # EOF";
    lines.pop_back();
  }
  std::set<std::string> families, samples;
  std::string family, kind;
  for (const auto& line : lines) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      if (match[1] == "HELP" && !families.insert(match[2]).second) return "a second family: " + line;
      if (match[1] == "TYPE" && match[2] != family) return "TYPE of another than HELP: " + line;
      family = match[2];
      if (match[1] == "TYPE") kind = match[3];
      continue;
    }
    if (!std::regex_match(line, match, sample)) return "no sample: " + line;
    std::vector<std::string> names = {family};
    if (kind == "histogram") names = {family + "_bucket", family + "_count", family + "_sum"};
    if (kind == "counter" && form == Form::openmetrics) names = {family + "_total"};
    if (kind == "info") names = {family + "_info"};
    if (form == Form::openmetrics && (kind == "counter" || kind == "histogram")) names.push_back(family + "_created");
    if (std::ranges::find(names, match[1].str()) == names.end()) return "not of family " + family + ": " + line;
    if (!samples.insert(match[1].str() + match[2].str()).second) return "twice: " + line;
    if (kind == "counter" && match[7].str().starts_with('-')) return "a counter below 0: " + line;
  }
  return "";
}

std::string page_of(const LedgerLine& line, Form form = Form::text) { return exposition(&line, about(), form); }

bool has(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a page says in Prometheus's text what the ledger line says") {
  const auto page = page_of(line_of_two_ports());
  INFO(page);
  CHECK(check_page(page, Form::text) == "");
  for (const char* line : {"wirespool_build_info{version=\"0.2.0\",dpdk=\"DPDK 22.11.11\"} 1",
                           "wirespool_start_time_seconds 1795247670.123456789",
                           "wirespool_ledger_time_seconds 1795247680.123456789",
                           "# TYPE wirespool_received_packets_total counter",
                           "wirespool_received_packets_total{port=\"0\",queue=\"1\"} 400",
                           "wirespool_received_bytes_total{port=\"3\",queue=\"0\"} 320",
                           "wirespool_stored_packets_total 900",
                           "wirespool_sliced_packets_total 8",
                           "wirespool_trimmed_packets_total 6",
                           "wirespool_filtered_packets_total 4",
                           "wirespool_cut_packets_total 11",
                           "wirespool_headers_only_packets_total 5",
                           "wirespool_flow_packets_total 990",
                           "# TYPE wirespool_flow_records_open gauge",
                           "wirespool_flow_records_open 12",
                           "wirespool_flow_records_full_total 3",
                           "wirespool_flow_records_lost_total 0",
                           "wirespool_flow_records_unwritten_total 3",
                           "wirespool_in_flight_packets 87",
                           "wirespool_books_balanced 1",
                           "wirespool_lost_packets_total{cause=\"nic_missed\"} 9",
                           "wirespool_lost_packets_total{cause=\"cut_by_driver\"} 1",
                           "wirespool_uncounted_losses{port=\"3\",cause=\"nic_errors\"} 1",
                           "wirespool_gaps_total{port=\"3\"} 2",
                           "wirespool_gap_seconds_total{port=\"3\"} 3.000000000",
                           "wirespool_port_away{port=\"3\"} 1",
                           "wirespool_port_away{port=\"0\"} 0",
                           "wirespool_peak_packets_per_second{port=\"0\",window=\"100us\"} 1200000",
                           "wirespool_peak_bytes_per_second{port=\"0\",window=\"10000us\"} 31816000",
                           "wirespool_holes_total{port=\"3\"} 2",
                           "wirespool_hole_seconds_total{port=\"3\"} 0.031000000",
                           "wirespool_blocks{state=\"free\"} 30",
                           "wirespool_drive_state{drive=\"/data/nvme1\",state=\"full\"} 1",
                           "wirespool_drive_state{drive=\"/data/nvme1\",state=\"ok\"} 0",
                           "wirespool_drive_returns_total{drive=\"/data/nvme0\"} 3",
                           "wirespool_drive_writes_in_flight{drive=\"/data/nvme0\"} 2",
                           "wirespool_archive_ok{archive=\"/slow\"} 1",
                           "wirespool_archive_ok{archive=\"/b\"} 0",
                           "wirespool_archived_files_total{archive=\"/slow\"} 2",
                           "wirespool_archived_packets_total{archive=\"/slow\"} 9",
                           "wirespool_lcore_waits_total{lcore=\"4\",role=\"writer\"} 2",
                           "wirespool_lcore_asleep_seconds_total{lcore=\"3\",role=\"rx\"} 7.250000000",
                           "wirespool_lcore_asleep_seconds_total{lcore=\"4\",role=\"writer\"} 0.000000000",
                           "wirespool_lcore_overslept_total{lcore=\"4\",role=\"writer\"} 5",
                           "wirespool_clock_error_bound_seconds 0.001203300"}) {
    INFO(line);
    CHECK(has(page, line));
  }
}

TEST_CASE("a page in OpenMetrics names counters without _total, says when they were 0, and ends") {
  const auto page = page_of(line_of_two_ports(), Form::openmetrics);
  INFO(page);
  CHECK(check_page(page, Form::openmetrics) == "");
  CHECK(has(page, "# TYPE wirespool_stored_packets counter"));
  CHECK(has(page, "wirespool_stored_packets_total 900\nwirespool_stored_packets_created 1795247670.123456789"));
  CHECK(has(page, "# TYPE wirespool_build info"));
}

TEST_CASE("a counter that nobody counts is absent, and so is what a line does not say") {
  LedgerLine line;
  line.ports = {{.port = 0, .name = "a"}};
  line.ports[0].nic_missed.reset();
  line.clock = format::ClockBound{};
  const auto page = page_of(line);
  INFO(page);
  CHECK(check_page(page, Form::text) == "");
  for (const char* name : {"cause=\"nic_missed\"", "cause=\"nic_other\"", "cause=\"cut_by_driver\"",
                           "clock_error_bound", "wirespool_blocks", "stamps_refused", "on_seal", "removed", "archive",
                           "write_duration", "cut_packets", "headers_only", "flow_"}) {
    INFO(name);
    CHECK(page.find(std::string("wirespool_lost_packets_total{") + name) == std::string::npos);
    CHECK(page.find(std::string("wirespool_") + name) == std::string::npos);
  }
  CHECK(has(page, "wirespool_lost_packets_total{cause=\"no_mbuf\"} 0"));
  const auto before = exposition(nullptr, about(), Form::openmetrics);
  CHECK(check_page(before, Form::openmetrics) == "");
  CHECK(before.find("packets") == std::string::npos);
}

TEST_CASE("the causes of loss add up to the ledger's lost") {
  const auto line = line_of_two_ports();
  std::uint64_t sum = 0;
  for (const auto& [cause, packets] : stats::counted_causes(line)) sum += packets;
  CHECK(sum == stats::losses_of(line).sum());
  CHECK(sum == 7 + 2 + 1 + 3);
}

TEST_CASE("the histogram's buckets count up, exactly to the bounds they name, and end with all writes") {
  const auto page = page_of(line_of_two_ports());
  const std::string name = "wirespool_drive_write_duration_seconds", drive = "{drive=\"/data/nvme0\"";
  CHECK(has(page, name + "_bucket" + drive + ",le=\"0.000016383\"} 1"));
  CHECK(has(page, name + "_bucket" + drive + ",le=\"0.000032767\"} 1"));
  CHECK(has(page, name + "_bucket" + drive + ",le=\"0.000065535\"} 3"));
  CHECK(has(page, name + "_bucket" + drive + ",le=\"0.000131071\"} 4"));
  CHECK(has(page, name + "_bucket" + drive + ",le=\"17.179869183\"} 4"));
  CHECK(has(page, name + "_bucket" + drive + ",le=\"+Inf\"} 4"));
  CHECK(has(page, name + "_count" + drive + "} 4\n" + name + "_sum" + drive + "} 0.002000000"));
  auto slow = line_of_two_ports();
  slow.drives[0].write_durations = {0, std::vector<std::uint64_t>(22, 1), {}};
  CHECK(has(page_of(slow), name + "_bucket" + drive + ",le=\"17.179869183\"} 21"));
  CHECK(has(page_of(slow), name + "_bucket" + drive + ",le=\"+Inf\"} 22"));
}

TEST_CASE("no name of a device or path can break a page, and what is not UTF-8 is replaced") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  static const std::vector<std::string> pieces = {"a",        "\"",       "\\",      "\n",           "}",
                                                  " ",        "\xc3\xbc", "\xff",    "\xed\xa0\x80", "\xf0\x9f\x98\x80",
                                                  "\xc0\xaf", "\xe2\x82", "# EOF\n", "\x01"};
  for (int round = 0; round < 300; ++round) {
    auto line = line_of_two_ports();
    std::string name;
    for (auto left = random.below(8); left > 0; --left) name += pieces[random.below(pieces.size())];
    line.drives[0].path = "0" + name;
    line.ports[0].name = name;
    for (const auto form : {Form::text, Form::openmetrics}) {
      const auto page = page_of(line, form);
      INFO(page);
      REQUIRE(check_page(page, form) == "");
      CHECK(page.find('\xff') == std::string::npos);
    }
  }
  auto line = line_of_two_ports();
  line.drives[0].path = "/\"\\\n\xff\xc3\xbc";
  CHECK(has(page_of(line), "wirespool_drive_files_total{drive=\"/\\\"\\\\\\n\xef\xbf\xbd\xc3\xbc\"} 1"));
}
