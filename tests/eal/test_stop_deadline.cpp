// SPDX-License-Identifier: BSD-3-Clause
// A stop ends in its time, whatever hangs.
#include <chrono>
#include <fstream>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/outside_tools.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;

namespace {

constexpr std::uint64_t mib = 1 << 20;

bool skip_without_loop() {
  const auto missing = LoopDrive::missing();
  if (missing) skip("loop drives", *missing);
  return missing.has_value();
}

// A drive that hangs, for as long as this lives.
class Frozen {
 public:
  explicit Frozen(const LoopDrive& drive) : path_(drive.path()) {
    REQUIRE(run_process({"fsfreeze", "--freeze", path_}).ok());
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { run_process({"fsfreeze", "--unfreeze", path_}); }

 private:
  std::string path_;
};

// It has ended, or has nothing left but threads that the kernel keeps until the drive answers (proc(5), "Z").
bool is_over(Process& process, Seconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < end) {
    if (!process.running()) return true;
    std::ifstream stat("/proc/" + std::to_string(process.pid()) + "/stat");
    const std::string line((std::istreambuf_iterator<char>(stat)), {});
    if (line.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::size_t open_files_in(const std::filesystem::path& directory) {
  std::size_t open = 0;
  for (const auto& file : hidden_files({directory})) open += file.extension() == ".open";
  return open;
}

}  // namespace

TEST_CASE("a stop with a drive that hangs ends in time, seals on the other and counts the rest") {
  if (skip_without_loop()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const auto& healthy = bench.outputs[0];
  const LoopDrive hanging({.file_system = "ext4", .bytes = 128 * mib});
  write_trace({.kind = "1514", .packets = 60'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = {hanging.path(), healthy},
                       .options = {"--block-size", "256KiB", "--when-full", "wait", "--handoff", handoff,
                                   "--stats-interval", "10ms", "--stop-timeout", "2s"}});
  CHECK(capture.wait_for_total("stored", 1'000));
  {
    const Frozen frozen(hanging);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // for writes that hang
    capture.process().send_signal(SIGTERM);
    CHECK(is_over(capture.process(), Seconds(30)));
    CHECK(open_files_in(healthy) == 0);
    CHECK_FALSE(sealed_files({healthy}).empty());
    CHECK(ask_outside({healthy}) == "");
  }
  const auto result = capture.wait();
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  REQUIRE(result.last().at("final") == true);
  CHECK(check_ledger(result) == "");
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: stop: ") && Catch::Contains(hanging.path()));
}

TEST_CASE("a stop with no drive but one that hangs counts what did not get out as drop_drive") {
  if (skip_without_loop()) return;
  const auto io = GENERATE(values({"uring", "pwrite"}));
  CAPTURE(io);
  const Bench bench;
  const LoopDrive hanging({.file_system = "ext4", .bytes = 128 * mib});
  write_trace({.kind = "1514", .packets = 60'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = {hanging.path()},
                       .options = {"--block-size", "256KiB", "--when-full", "wait", "--io", io, "--stats-interval",
                                   "10ms", "--stop-timeout", "2s"}});
  CHECK(capture.wait_for_total("stored", 1'000));
  {
    const Frozen frozen(hanging);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    capture.process().send_signal(SIGTERM);
    CHECK(is_over(capture.process(), Seconds(30)));
  }
  const auto result = capture.wait();
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  REQUIRE(result.last().at("final") == true);
  CHECK(result.total("drop_drive") > 0);
  CHECK(result.total("in_flight") == 0);
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: stop: "));
}

TEST_CASE("a drive that hangs before the start is said to be waited for, and given up") {
  if (skip_without_loop()) return;
  const Bench bench;
  const LoopDrive hanging({.file_system = "ext4", .bytes = 16 * mib});
  const Frozen frozen(hanging);
  LiveCapture capture({.vdevs = {"net_null0"}, .outputs = {hanging.path()}, .options = {}});
  CHECK(capture.process().wait_for_output("it does not answer: waiting", Seconds(30)));
  const auto result = capture.wait(Seconds(30));
  INFO(result.describe());
  CHECK(result.process.exit_code == 2);
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: --output: " + hanging.path() + ": a write into it hangs"));
}
