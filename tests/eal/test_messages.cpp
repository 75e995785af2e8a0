// SPDX-License-Identifier: BSD-3-Clause
// What a capture has to say to people does not get out: that keeps nothing from being captured, stopped and sealed.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;

namespace {

// A pipe that somebody holds open and nobody empties, full.
class StalledPipe {
 public:
  StalledPipe() {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    (void)::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
    while (::write(ends_[1], "x", 1) == 1) continue;
  }
  StalledPipe(const StalledPipe&) = delete;
  StalledPipe& operator=(const StalledPipe&) = delete;
  ~StalledPipe() {
    for (const int end : ends_) ::close(end);
  }
  // Opened anew, and so in blocking mode (proc(5), "/proc/pid/fd").
  std::string name() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends_[1]); }

 private:
  std::array<int, 2> ends_{};
};

bool any_left_open(const Paths& outputs) {
  return std::ranges::any_of(hidden_files(outputs), [](const auto& file) { return file.extension() == ".open"; });
}

// All that any line says was not said.
std::string unsaid(const CaptureResult& result) {
  std::string all;
  for (const auto& line : result.ledger)
    for (const auto& text : line.value("unsaid", Json::array())) all += text.get<std::string>() + "\n";
  return all;
}

}  // namespace

TEST_CASE("messages that standard error does not take are in the ledger, and the capture is whole") {
  const auto redirection = GENERATE(values({"2>/dev/full", "2>&-", "2>/dev/null </dev/null 2<&0"}));
  CAPTURE(redirection);
  const Bench bench;
  write_trace({.kind = "1514", .packets = 20'000}, bench.trace());
  const auto result =
      run_capture({.vdevs = {replay_of({bench.trace()})},
                   .outputs = bench.outputs,
                   .options = until_packets(20'000, {"--rotate-size", "4MiB", "--on-seal", "false", "--on-seal-linger",
                                                     "100ms", "--stats-interval", "100ms"}),
                   .redirection = redirection});
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(check_stored(bench.outputs, result) == "");
  CHECK(result.total("stored") == 20'000);
  CHECK_FALSE(any_left_open(bench.outputs));
  CHECK_THAT(unsaid(result), Catch::Contains("wirespool: --on-seal: "));
}

TEST_CASE("a standard error that nobody reads keeps no capture from ending") {
  const auto by_signal = GENERATE(false, true);
  CAPTURE(by_signal);
  const Bench bench;
  const StalledPipe stalled;
  write_trace({.kind = "1514", .packets = 2'000}, bench.trace());
  Command options{"--stats-interval", "100ms"};
  if (!by_signal) options.insert(options.end(), {"--duration", "1500ms"});
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = options,
                       .redirection = "2>" + stalled.name()});
  CHECK(capture.wait_for_total("stored", 2'000));
  const auto result = by_signal ? capture.stop(SIGTERM) : capture.wait();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK_FALSE(result.process.timed_out);
  CHECK(result.ended_by() == (by_signal ? "SIGTERM" : "--duration"));
  CHECK(result.total("stored") == 2'000);
  CHECK_FALSE(any_left_open(bench.outputs));
  CHECK_THAT(unsaid(result), Catch::Contains("capture until disk"));
}
