// SPDX-License-Identifier: BSD-3-Clause
// What a person sees of a capture: on the terminal it was started on, and by `wirespool watch` on another.
#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/terminal_session.hpp"
#include "support/wait_until.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Catch::Contains;

namespace {

const std::vector<std::string> modern = {"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=", "NO_COLOR="};
constexpr Seconds patience(60);

// A capture that goes on until it is ended.
Command endless(const Bench& bench, const std::string& interval = "100ms") {
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  const Command more = {"--stats",       "auto",  "--stats-interval", interval, "--bytes", "20GB",
                        "--retain-size", "64MiB", "--rotate-size",    "16MiB"};
  return command_line({.vdevs = {replay_of({bench.trace()}, true)}, .outputs = bench.outputs, .options = more});
}

// The shell gets back what it had: the screen, the cursor, and how its keys work.
std::string check_given_back(TerminalSession& session, const termios& before) {
  const auto& all = session.written();
  const auto taken = all.rfind("\x1b[?1049h"), given = all.rfind("\x1b[?1049l");
  if (taken == std::string::npos) return "the screen was never taken";
  if (given == std::string::npos || given < taken) return "the screen was not given back";
  if (all.rfind("\x1b[?25h") < taken) return "the cursor is gone";
  const auto now = session.modes();
  return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag ? "" : "keys work otherwise than before";
}

std::ptrdiff_t count_ending(const std::filesystem::path& directory, const std::string& end) {
  return std::ranges::count_if(std::filesystem::directory_iterator(directory),
                               [&end](const auto& entry) { return entry.path().string().ends_with(end); });
}

std::string behind_the_screen(TerminalSession& session) {
  const auto& all = session.written();
  return all.substr(std::min(all.size(), all.rfind("\x1b[?1049l")));
}

}  // namespace

TEST_CASE("a capture on a terminal shows what it does, and q ends it in order") {
  const Bench bench;
  TerminalSession session(endless(bench), 40, 120, modern);
  const auto before = session.modes();
  REQUIRE(session.wait_for("pkt/s", patience));
  CHECK(session.wait_for("running", patience));
  CHECK(session.wait_for(bench.outputs[0].filename().string(), patience));
  CHECK(session.screen().size() <= 40);
  session.press("q");
  CHECK(session.wait(patience) == 0);
  CHECK(check_given_back(session, before) == "");
  CHECK_THAT(behind_the_screen(session), Contains("ended by q after") && Contains("nothing was lost"));
  CHECK(hidden_files(bench.outputs).empty());
}

TEST_CASE("a screen that changes its size is drawn anew, and what is too small is not overrun") {
  const Bench bench;
  TerminalSession session(endless(bench, "3s"), 40, 120, modern);
  REQUIRE(session.wait_for("lcore", patience));
  session.resize(5, 30);
  CHECK(wait_until([&] {
    const auto screen = session.screen();
    return !screen.empty() && screen.size() <= 5;
  }));
  session.press("\x03");
  CHECK(session.wait(patience) == 0);
  CHECK_THAT(behind_the_screen(session), Contains("ended by SIGINT"));
}

TEST_CASE("messages of a capture that draws are shown, and stay on the terminal afterwards") {
  const Bench bench;
  TerminalSession session(endless(bench), 40, 150, modern);
  REQUIRE(session.wait_for("running", patience));
  kill(session.pid(), SIGHUP);
  CHECK(session.wait_for("SIGHUP: the files that are open are ended", patience));
  session.press("q");
  CHECK(session.wait(patience) == 0);
  CHECK_THAT(behind_the_screen(session), Contains("SIGHUP: the files that are open are ended"));
}

TEST_CASE("a capture that dies of a fault gives the terminal back first") {
  if (sanitized) return skip("faults", "a sanitizer has its own handlers for them");
  const Bench bench;
  TerminalSession session(endless(bench), 40, 120, modern);
  const auto before = session.modes();
  REQUIRE(session.wait_for("running", patience));
  kill(session.pid(), SIGSEGV);
  CHECK(session.wait(patience) == -SIGSEGV);
  CHECK(check_given_back(session, before) == "");
}

TEST_CASE("a terminal that cannot move its cursor gets lines") {
  const Bench bench;
  TerminalSession session(endless(bench), 40, 150, {"TERM=dumb"});
  const auto begun = [&session] { return session.written().find("  received ") != std::string::npos; };
  CHECK(wait_until(begun));
  session.press("\x03");
  CHECK(session.wait(patience) == 0);
  CHECK(session.written().find('\x1b') == std::string::npos);
}

TEST_CASE("a capture in the background of a terminal gives lines, and leaves screen and keys alone") {
  const Bench bench;
  auto command = endless(bench);
  command.insert(command.begin(), {"bash", "-c", "set -m; \"$@\" & echo \"it is $! \"; wait", "bash"});
  TerminalSession session(command, 40, 150, modern);
  const auto before = session.modes();
  CHECK(wait_until([&session] { return session.written().find("  received ") != std::string::npos; }));
  const auto now = session.modes();
  CHECK((now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag));
  const auto told = session.written().find("it is ");
  REQUIRE(told != std::string::npos);
  kill(std::stoi(session.written().substr(told + 6)), SIGTERM);
  CHECK(session.wait(patience) == 0);
  CHECK_THAT(session.written(), Contains("ended by SIGTERM after"));
  CHECK(session.written().find('\x1b') == std::string::npos);
}

TEST_CASE("NO_COLOR leaves colours out, and a locale without UTF-8 all but ASCII") {
  const Bench bench;
  TerminalSession session(endless(bench), 40, 120, {"TERM=xterm", "LC_ALL=C", "NO_COLOR=1"});
  REQUIRE(session.wait_for("running", patience));
  session.press("q");
  CHECK(session.wait(patience) == 0);
  CHECK(session.written().find("\x1b[1m") == std::string::npos);
  CHECK(session.written().find("\x1b[32m") == std::string::npos);
  CHECK(std::ranges::all_of(session.written(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST_CASE("watch shows a running capture from another terminal, which does not notice") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "100ms", "--retain-size", "64MiB", "--rotate-size", "16MiB"}});
  REQUIRE(capture.wait_until_running());
  const Command watch = {wirespool_program(), "watch", bench.outputs[0].string()};
  {
    TerminalSession session(watch, 40, 120, modern);
    const auto before = session.modes();
    REQUIRE(session.wait_for("pkt/s", patience));
    CHECK(session.wait_for("running", patience));
    session.press("q");
    CHECK(session.wait(patience) == 0);
    CHECK(check_given_back(session, before) == "");
  }
  TerminalSession to_the_end(watch, 40, 120, modern);
  Process lines(watch);
  REQUIRE(to_the_end.wait_for("running", patience));
  CHECK(lines.wait_for_output("  received ", patience));
  const auto result = capture.stop();
  CHECK(result.process.ok());
  CHECK(to_the_end.wait(patience) == 0);
  CHECK_THAT(behind_the_screen(to_the_end), Contains("ended by SIGINT after"));
  const auto said = lines.wait(patience);
  CHECK(said.ok());
  CHECK_THAT(said.out, Contains("ended by SIGINT after"));
  CHECK(said.out.find('\x1b') == std::string::npos);
}

TEST_CASE("a capture that tells its plan has begun its ledger in every directory, so that watch finds it") {
  const Bench bench(2);
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "10s", "--retain-size", "64MiB", "--rotate-size", "16MiB"}});
  REQUIRE(capture.wait_until_running());
  for (const auto& directory : bench.outputs) {
    CHECK(count_ending(directory, ".ledger.jsonl") == 1);
    CHECK(count_ending(directory, ".capture.json") == 1);
  }
  CHECK(capture.stop().process.ok());
}

TEST_CASE("watch says that a capture was killed, and that none runs") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  const Command watch = {wirespool_program(), "watch", bench.outputs[0].string()};
  auto none = run_process(watch);
  CHECK(none.exit_code == 1);
  CHECK_THAT(none.err, Contains("no capture has written here"));
  {
    LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                         .outputs = bench.outputs,
                         .options = {"--stats-interval", "100ms", "--retain-size", "64MiB", "--rotate-size", "16MiB"}});
    REQUIRE(capture.wait_until_running());
    Process watching(watch);
    REQUIRE(watching.wait_for_output("  received ", patience));
    capture.process().stop(SIGKILL);
    const auto result = watching.wait(patience);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, Contains("the capture ended without a last line") && Contains("wirespool repair"));
  }
  CHECK(run_process({wirespool_program(), "repair", bench.outputs[0].string()}).ok());
  const Bench ended;
  REQUIRE(
      run_capture({.vdevs = {replay_of({bench.trace()})}, .outputs = ended.outputs, .options = until_packets(1'000)})
          .process.ok());
  none = run_process({wirespool_program(), "watch", ended.outputs[0].string()});
  CHECK(none.exit_code == 1);
  CHECK_THAT(none.err, Contains("no capture runs here") && Contains("ended"));
}
