// SPDX-License-Identifier: BSD-3-Clause
// What an environment does to the process itself: signals, limits, a working directory that goes.
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;

namespace {

// The capture's command under a shell that says something first.
Command after(const std::string& words, const CaptureCommand& capture) {
  Command command{"sh", "-c", words + "; exec \"$@\"", "sh"};
  const auto own = command_line(capture);
  command.insert(command.end(), own.begin(), own.end());
  return command;
}

}  // namespace

TEST_CASE("a signal that nobody asked for ends no capture with open files") {
  const Bench bench;
  write_trace({.kind = "1514", .packets = 2'000}, bench.trace());
  LiveCapture capture(
      {.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = {"--stats-interval", "50ms"}});
  REQUIRE(capture.wait_for_total("stored", 2'000));
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ, SIGPIPE, SIGRTMIN, SIGRTMAX})
    capture.process().send_signal(signal);
  const auto before = capture.newest().at("elapsed_ns").get<std::uint64_t>();
  const auto goes_on = [&] {
    for (int i = 0; i < 1000 && capture.process().running(); ++i) {
      if (capture.newest().at("elapsed_ns").get<std::uint64_t>() > before) return true;
      ::usleep(10'000);
    }
    return false;
  };
  CHECK(goes_on());
  const auto result = capture.stop(SIGQUIT);
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.ended_by() == "SIGQUIT");
  CHECK(result.total("stored") == 2'000);
}

TEST_CASE("a limit of descriptors or of a file's size is refused before the start, with what is needed") {
  const Bench bench;
  const CaptureCommand capture{.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "1000"}};
  const auto few = run_process(after("ulimit -n 26", capture));
  INFO(few.describe());
  CHECK(few.exit_code == 2);
  CHECK_THAT(few.err, Catch::Contains("file descriptors are needed") && Catch::Contains("ulimit -n "));
  const auto small = run_process(after("ulimit -f 20000", capture));
  INFO(small.describe());
  CHECK(small.exit_code == 2);
  CHECK_THAT(small.err, Catch::Contains("--rotate-size 4GiB") && Catch::Contains("ulimit -f unlimited"));
  CHECK(hidden_files(bench.outputs).empty());
}

TEST_CASE("a working directory that goes keeps no file from being sealed and handed on") {
  const Bench bench;
  write_trace({.kind = "1514", .packets = 2'000}, bench.trace());
  const auto gone = bench.base / "gone";
  std::filesystem::create_directory(gone);
  Process capture(after("cd " + gone.string(), {.vdevs = {replay_of({bench.trace()}, true)},
                                                .outputs = {"../drive0"},
                                                .options = {"--on-seal", "test -f", "--rotate-size", "4MiB",
                                                            "--when-full", "wait", "--bytes", "400MB"}}));
  REQUIRE(capture.wait_for_output("capture until ", Seconds(60)));
  std::filesystem::remove(gone);
  const auto result = capture.wait(Seconds(60));
  INFO(result.describe());
  CHECK(result.exit_code == 0);
  CHECK_FALSE(sealed_files(bench.outputs).empty());
  CHECK(hidden_files(bench.outputs).empty());  // no .open and no .on-seal
}

TEST_CASE("no directory of EAL's is left behind") {
  const Bench bench;
  const std::string prefix = "wst" + std::to_string(::getpid());
  Command command = command_line({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "1000"}});
  command.insert(command.begin() + 2, {"--file-prefix", prefix});
  const auto result = run_process(command);
  INFO(result.describe());
  CHECK(result.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists("/run/dpdk/" + prefix));
}
