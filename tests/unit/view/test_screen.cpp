// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <random>
#include <regex>

#include "support/catch.hpp"
#include "view/screen.hpp"

using namespace wirespool;
using namespace wirespool::view;
using Catch::Contains;
using format::LedgerLine;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr Look plain{.colours = false, .utf8 = false}, rich{.colours = true, .utf8 = true};

LedgerLine line_at(std::uint64_t seconds) {
  LedgerLine line;
  line.elapsed_ns = seconds * second;
  line.ports = {{.port = 0, .name = "0000:3b:02.0", .received = seconds * 1000, .received_bytes = seconds * 64000}};
  line.ports[0].queues = {{0, seconds * 600, 0, {}}, {1, seconds * 400, 0, {}}};
  line.totals = {.received = seconds * 1000, .received_bytes = seconds * 64000, .stored = seconds * 900};
  line.drives = {{.path = "/data/nvme0", .state = "ok", .blocks = seconds, .bytes = seconds << 20, .inflight = 2},
                 {.path = "/data/nvme1", .state = "failed", .why = "write: Input/output error"}};
  line.blocks = format::BlocksLine{.free = 30, .open = 1, .full = 1};
  line.lcores = {{.lcore = 3, .role = "rx", .busy = 0.5}, {.lcore = 4, .role = "writer", .busy = 0.125}};
  line.clock = format::ClockBound{.source = "tsc", .discipline = "kernel", .error_ns = 1'203'300};
  return line;
}

// A capture with two lines, of which the last is changed by `change`.
template <typename Change>
History history_with(Change change) {
  History history;
  history.add(line_at(9));
  auto line = line_at(10);
  change(line);
  history.add(line);
  return history;
}
History history_of_two() {
  return history_with([](LedgerLine&) {});
}

std::string screen_of(const History& history, const Look& look = plain, Size size = {50, 120},
                      std::vector<std::string> messages = {}) {
  std::string text;
  for (const auto& line : draw({"wirespool", "running", &history, std::move(messages), "q: leave"}, size, look))
    text += line + "\n";
  return text;
}

std::string without_styles(const std::string& text) {
  static const std::regex style("\x1b\\[[0-9;]*m");
  return std::regex_replace(text, style, "");
}

std::size_t characters_in(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

TEST_CASE("a screen says how fast packets come and are stored, and what each part of the capture does") {
  const auto screen = screen_of(history_of_two());
  INFO(screen);
  CHECK_THAT(screen, Contains("wirespool  00:00:10  running"));
  CHECK_THAT(screen, Contains("received     1.00k pkt/s") && Contains("512.00k bit/s"));
  CHECK_THAT(screen, Contains("stored         900 pkt/s"));
  CHECK_THAT(screen, Contains("lost      0"));
  CHECK_THAT(screen, Contains("30 free, 1 open, 1 on their way to drives"));
  CHECK_THAT(screen, Contains("0 0000:3b:02.0"));
  CHECK_THAT(screen, Contains("queues of port 0") && Contains("600") && Contains("400"));
  CHECK_THAT(screen, Contains("3 rx") && Contains("50 %"));
  CHECK_THAT(screen, Contains("/data/nvme1") && Contains("failed") && Contains("Input/output error"));
  CHECK_THAT(screen, Contains("at most 1.2 ms from UTC"));
}

TEST_CASE("a port's largest rates within small windows are shown, and for how long nothing came") {
  const auto history = history_with([](LedgerLine& line) {
    line.ports[0].peaks = {{100'000, 120, 93120, {}}, {1'000'000, 300, 232800, {}}, {10'000'000, 410, 318160, {}}};
    line.ports[0].holes = wirespool::format::HolesLine{2, 31'000'000, 0, 20'000'000, {}, {}};
  });
  const auto screen = screen_of(history);
  INFO(screen);
  CHECK_THAT(screen, Contains("largest bit/s in") && Contains("100us    7.45G") && Contains("1ms    1.86G") &&
                         Contains("10ms  254.53M") && Contains("2 holes, 20.0 ms"));
}

TEST_CASE("of an lcore that sleeps is shown how much of the time since the line before") {
  const auto history = history_with([](LedgerLine& line) { line.lcores[0].asleep_ns = 900'000'000; });
  CHECK_THAT(screen_of(history), Contains("asleep  90 %"));
  CHECK_THAT(screen_of(history_of_two()), !Contains("asleep"));
}

TEST_CASE("a loss is red, with its cause, how much it grew, and what to do") {
  const auto history = history_with([](LedgerLine& line) {
    line.ports[0].nic_missed = 7;
    line.totals.drop_handoff = 3;
  });
  const auto screen = screen_of(history, rich);
  INFO(screen);
  CHECK_THAT(screen, Contains("\x1b[1;31mnic_missed 7\x1b[0m") && Contains("\x1b[1;31m (+7)\x1b[0m"));
  CHECK_THAT(screen, Contains("more --rx-desc"));
  CHECK_THAT(screen, Contains("drop_handoff 3") && Contains("more writer lcores or drives"));
  CHECK_THAT(screen, !Contains("lost      0"));
}

TEST_CASE("what a device does not count is said, and is no 0") {
  const auto history = history_with([](LedgerLine& line) { line.ports[0].nic_missed.reset(); });
  const auto screen = screen_of(history);
  INFO(screen);
  CHECK_THAT(screen, Contains("not counted here: nic_missed"));
  CHECK_THAT(screen, Contains("unknown"));
}

TEST_CASE("a screen fits the terminal, whatever its size, and has no control character but styles") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto history = history_with([](LedgerLine& line) {
    for (unsigned i = 1; i < 20; ++i)
      line.ports.push_back({.port = i,
                            .name = "port\x1b[2J\xc2\x9b"
                                    "1m\n"});
    line.drives[1].why = "no\rspace\x07";
    line.imbalance = "something\tis missing";
    line.ports[0].nic_missed = 7;
  });
  for (int round = 0; round < 300; ++round) {
    const Size size{static_cast<unsigned>(1 + random() % 60), static_cast<unsigned>(1 + random() % 200)};
    const Look look{.colours = random() % 2 == 0, .utf8 = random() % 2 == 0};
    CAPTURE(size.rows, size.columns, look.colours, look.utf8);
    const auto lines = draw({"a\x1b"
                             "b",
                             "running",
                             &history,
                             {"message\x1b]0;title\x07"},
                             "q: leave"},
                            size, look);
    CHECK(lines.size() <= size.rows);
    for (const auto& line : lines) {
      const auto text = without_styles(line);
      INFO(text);
      CHECK(characters_in(text) <= size.columns);
      CHECK(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
      if (!look.colours) CHECK(line == text);
      if (!look.utf8) CHECK(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
    }
  }
}

TEST_CASE("where there is no room, rates and losses stay, and queues go first") {
  const auto history = history_with([](LedgerLine& line) { line.totals.drop_drive = 5; });
  const auto whole = screen_of(history);
  const auto rows = static_cast<unsigned>(std::ranges::count(whole, '\n'));
  const auto without_queues = screen_of(history, plain, {rows - 1, 120});
  CHECK_THAT(without_queues, !Contains("queues of port"));
  CHECK_THAT(without_queues, Contains("3 rx"));
  const auto least = screen_of(history, plain, {6, 120});
  INFO(least);
  CHECK_THAT(least, Contains("received") && Contains("stored") && Contains("drop_drive 5"));
  CHECK_THAT(least, !Contains("3 rx"));
}

TEST_CASE("a sparkline is as high as its largest value, and nothing where there was nothing") {
  CHECK(sparkline({0, 1, 4, 8}, {.colours = false, .utf8 = true}) == " ▁▄█");
  CHECK(sparkline({0, 8}, plain) == " #");
  CHECK(sparkline({0, 0}, plain) == "  ");
  CHECK(bar(0.5, 4, plain) == "##..");
}

TEST_CASE("messages are shown, the newest last") {
  const auto screen = screen_of(history_of_two(), plain, {50, 120}, {"first", "second"});
  CHECK(screen.find("first") < screen.find("second"));
  CHECK(screen.find("second") != std::string::npos);
}
