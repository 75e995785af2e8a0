// SPDX-License-Identifier: BSD-3-Clause
// What an environment does to the process itself: signals, limits, a working directory that goes.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/network.hpp"
#include "support/skip.hpp"
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
  for (const int signal :
       {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ, SIGPIPE, SIGRTMIN, SIGRTMAX})
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

TEST_CASE("SIGHUP ends the open files, which are then whole, and the capture goes on with new ones") {
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench(2);
  const VethPair veth;
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--handoff", handoff, "--flush-age", "10ms", "--stats-interval", "10ms"}});
  REQUIRE(capture.wait_until_running());
  const FrameSender sender(nullptr, veth.left());
  constexpr std::size_t half = 500;
  CHECK(send_windowed(sender, make_trace({.kind = "imix", .packets = half, .seed = 1}), capture));
  CHECK(capture.wait_for_total("stored", half));  // what lies in a hand-off yet belongs to the new files
  CHECK(sealed_files(bench.outputs).empty());
  capture.process().send_signal(SIGHUP);
  const auto sealed = [&] { return read_spool(bench.outputs).size(); };
  for (int i = 0; i < 1'000 && sealed() < half; ++i) ::usleep(10'000);
  CHECK(sealed() == half);
  CHECK(ask_outside(bench.outputs) == "");
  const auto files = sealed_files(bench.outputs).size();
  CHECK(capture.process().running());
  CHECK(send_windowed(sender, make_trace({.kind = "imix", .packets = half, .seed = 2}), capture));
  const auto result = capture.stop();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 2 * half);
  CHECK(sealed_files(bench.outputs).size() > files);
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: SIGHUP: "));
}

TEST_CASE("SIGUSR1 writes a ledger line at once") {
  const Bench bench;
  write_trace({.kind = "1514", .packets = 100}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = {"--stats-interval", "1h", "--idle-exit", "1h"}});
  REQUIRE(capture.wait_until_running());
  const auto lines_in = [](const std::filesystem::path& ledger) {
    std::ifstream file(ledger);
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  };
  const auto ledger = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(bench.outputs[0]))
      if (entry.path().string().ends_with(".ledger.jsonl")) return entry.path();
    return std::filesystem::path();
  };
  CHECK(capture.newest().is_null());
  for (std::size_t asked = 1; asked <= 2; ++asked) {
    CAPTURE(asked);
    capture.process().send_signal(SIGUSR1);
    const auto told = [&] { return static_cast<std::size_t>(lines_in(ledger())); };
    for (int i = 0; i < 1'000 && told() < asked; ++i) ::usleep(10'000);
    CHECK(told() == asked);
  }
  CHECK(capture.newest().is_object());
  const auto result = capture.stop();
  CHECK(result.ledger.size() == 3);
  CHECK(check_capture(result, bench.outputs) == "");
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
  *std::next(std::ranges::find(command, std::string("--file-prefix"))) = prefix;
  const auto result = run_process(command);
  INFO(result.describe());
  CHECK(result.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists("/run/dpdk/" + prefix));
}
