// SPDX-License-Identifier: BSD-3-Clause
// The real program, killed with SIGKILL at random moments or run by a clock that is wrong, and what `repair`, `verify`
// and `ls` make of what it leaves.
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "bench.hpp"
#include "pcap_stream.hpp"
#include "reading.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/random.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

constexpr int rounds = 25;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// Name, bytes and time of change of each file.
std::string state_of(const std::filesystem::path& directory) {
  const auto listed = run_process({"find", directory, "-maxdepth", "1", "-type", "f", "-printf", "%f %s %T@ %C@\n"});
  return run_process({"sh", "-c", "printf %s \"$1\" | sort", "sh", listed.out}).out;
}

Trace beginning(const Trace& trace, std::uint64_t packets) {
  Trace some;
  for (std::uint64_t i = 0; i < packets; ++i) some.append(trace[i]);
  return some;
}

// Writes that were under way hold their file, and its lock, a little longer than the process lives.
Json repair_when_it_lets_go(const std::filesystem::path& directory) {
  for (int attempt = 0;; ++attempt) {
    auto report = wirespool_json("repair", {directory}).at("directories").at(0);
    bool held = false;
    for (const auto& file : report.at("files")) held = held || file.at("outcome") == "in_use";
    if (!held || attempt == 500) return report;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

class Crashes {
 public:
  explicit Crashes(const std::string& file_system)
      : drive_({.file_system = file_system, .bytes = std::uint64_t{512} << 20}) {
    write_trace({.kind = "imix", .packets = 250'000}, bench_.trace());
    trace_ = read_pcap(bench_.trace());
  }

  void round(std::uint64_t seed) {
    Random random(seed);
    const auto directory = std::filesystem::path(drive_.path()) / std::to_string(seed);
    std::filesystem::create_directory(directory);
    const auto reported = capture_and_kill(directory, random);
    const auto report = repair_when_it_lets_go(directory);
    INFO("seed " << seed << ", reported as stored " << reported << ", repair: " << report.dump());
    for (const auto& file : report.at("files")) REQUIRE(file.at("outcome") != "failed");
    for (const auto& file : report.at("files")) REQUIRE(file.at("outcome") != "unreadable");
    const auto back = extract({directory}, bench_.base / "back.pcap");
    // One queue and one drive: what is reported is the beginning of the trace.
    REQUIRE(back.size() >= reported);
    REQUIRE(compare_in_order(beginning(trace_, reported), beginning(back, reported)) == "");
    // Byte for byte, in order, nothing twice, over all files.
    REQUIRE(compare_as_subsequence(trace_, back) == "");
    CHECK(check_times(back) == "");
    const auto verdict = run_tool("verify", {directory});
    INFO(verdict.out);
    CHECK(verdict.ok());
    const auto before = state_of(directory);
    CHECK(run_tool("repair", {directory}).ok());
    CHECK(state_of(directory) == before);
    packets_back_ += back.size();
    cut_ += back.size() < trace_.size();
    std::filesystem::remove_all(directory);
  }

  std::uint64_t packets_back() const { return packets_back_; }
  int cut() const { return cut_; }  // rounds in which the kill came before the end of the trace

 private:
  // The packets that the last ledger line before the kill calls stored.
  std::uint64_t capture_and_kill(const std::filesystem::path& directory, Random& random) {
    const std::vector<std::string> sizes{"64KiB", "256KiB", "1MiB"};
    LiveCapture capture(
        {.vdevs = {replay_of({bench_.trace()})},
         .outputs = {directory},
         .options = {"--block-size", sizes[random.below(sizes.size())], "--rotate-size", "24MiB", "--stats-interval",
                     "10ms", "--flush-age", "5ms", "--io", random.below(4) == 0 ? "pwrite" : "uring", "--index",
                     random.below(2) == 0 ? "flow" : "time"}});
    if (!capture.wait_until_running()) FAIL(capture.stop(SIGKILL).describe());
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(200'000)));
    const auto killed = capture.stop(SIGKILL);
    REQUIRE(killed.process.signal == SIGKILL);
    return killed.ledger.empty() ? 0 : killed.total("stored");
  }

  Bench bench_;
  LoopDrive drive_;
  Trace trace_;
  std::uint64_t packets_back_ = 0;
  int cut_ = 0;
};

}  // namespace

TEST_CASE("after kill -9 at any moment, repair brings back every packet that was reported as stored") {
  const auto missing = LoopDrive::missing();
  if (missing) return skip("loop drives", *missing);
  const auto file_system = GENERATE(values<std::string>({"ext4", "xfs"}));
  if (!have_program("mkfs." + file_system)) return skip(file_system, "needs mkfs." + file_system);
  const std::uint64_t first_seed = std::random_device{}();
  std::printf("%s: seeds from %llu\n", file_system.c_str(), static_cast<unsigned long long>(first_seed));
  std::fflush(stdout);
  Crashes crashes(file_system);
  for (int i = 0; i < rounds; ++i) crashes.round(first_seed + static_cast<std::uint64_t>(i));
  std::printf("%s: %d kills, %d before the end of the trace, %llu packets back\n", file_system.c_str(), rounds,
              crashes.cut(), static_cast<unsigned long long>(crashes.packets_back()));
  std::fflush(stdout);
}

namespace {

constexpr std::int64_t hour = 3600, day = 24 * hour;

// A clock for one program that is wrong by so many seconds: clock_shim.cpp.
class WrongClock {
 public:
  WrongClock(std::filesystem::path file, std::int64_t seconds) : file_(std::move(file)) { set(seconds); }

  // In place: the program has the file mapped.
  void set(std::int64_t seconds) const {
    std::fstream out(file_, std::filesystem::exists(file_) ? std::ios::in | std::ios::out : std::ios::out);
    out.write(reinterpret_cast<const char*>(&seconds), sizeof seconds);
  }

  Command under() const {
    const char* shim = std::getenv("CLOCK_SHIM");
    REQUIRE(shim != nullptr);
    return {"env", std::string("LD_PRELOAD=") + shim, "CLOCK_SHIFT=" + file_.string()};
  }

 private:
  std::filesystem::path file_;
};

// Frames that cost little room: their first bytes only.
CaptureCommand capture_without_end(const Bench& bench, const WrongClock& clock) {
  write_trace({.kind = "1514", .packets = 1000}, bench.trace());
  return {.vdevs = {replay_of({bench.trace()}, true)},
          .outputs = bench.outputs,
          .options = {"--snaplen", "64", "--stats-interval", "50ms"},
          .under = clock.under()};
}

}  // namespace

TEST_CASE("the clock was ahead while capturing, the machine crashed and has the right time again: nothing is lost") {
  if (sanitized) return skip("a wrong clock", "a sanitizer wants to be loaded first");
  const auto ahead = GENERATE(25 * hour, 400 * day, -400 * day);
  INFO("ahead by " << ahead << " s");
  const Bench bench;
  const WrongClock clock(bench.base / "clock", ahead);
  LiveCapture capture(capture_without_end(bench, clock));
  REQUIRE(capture.wait_for_total("stored", 1));
  const auto killed = capture.stop(SIGKILL);
  const auto report = repair_when_it_lets_go(bench.outputs[0]);
  INFO(report.dump());
  std::uint64_t packets = 0;
  for (const auto& file : report.at("files")) {
    CHECK((file.at("outcome") == "sealed" || file.at("outcome") == "removed"));
    for (const auto& sealed : file.at("files")) packets += sealed.at("packets").get<std::uint64_t>();
  }
  CHECK(packets >= killed.total("stored"));
  CHECK(run_tool("verify", bench.outputs).ok());
}

TEST_CASE(
    "the clock was ahead at the start and is put right while capturing: verify is content, ls shows one capture") {
  if (sanitized) return skip("a wrong clock", "a sanitizer wants to be loaded first");
  const bool index = GENERATE(true, false);
  INFO("index " << index);
  const Bench bench;
  const WrongClock clock(bench.base / "clock", 2 * hour);
  auto command = capture_without_end(bench, clock);
  command.options.insert(command.options.end(), {"--index", index ? "time" : "off"});
  LiveCapture capture(command);
  REQUIRE(capture.wait_for_total("stored", 1));
  clock.set(0);
  // What was captured before is sealed, and what comes then goes into other files.
  for (int i = 0; i < 3000 && sealed_files(bench.outputs).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(capture.wait_for_total("stored", capture.total("stored") + 1));
  const auto result = capture.stop();
  INFO(result.describe());
  REQUIRE(result.process.ok());
  REQUIRE(sealed_files(bench.outputs).size() >= 2);
  const auto verdict = run_tool("verify", bench.outputs);
  INFO(verdict.describe());
  CHECK(verdict.ok());
  const auto listed = wirespool_json("ls", bench.outputs);
  INFO(listed.dump());
  REQUIRE(listed.at("captures").size() == 1);
  CHECK(listed.at("captures")[0].at("files").size() == sealed_files(bench.outputs).size());
  // No gap over the two hours at which nobody captured.
  const auto began = listed.at("captures")[0].at("start");
  for (const auto& gap : listed.at("captures")[0].at("gaps"))
    CHECK_FALSE((gap.at("from") < began && gap.at("to") > began));
}
