// SPDX-License-Identifier: BSD-3-Clause
// Lcores take no memory after the start: count_allocations.cpp watches the real program.
#include <cstdlib>
#include <fstream>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "worker_name.hpp"

using namespace wirespool::test;

namespace {

struct Counts {
  unsigned long lcores = ~0ul, others = 0;
};

// Runs the capture with the counter in it.
ProcessResult run_counted(const CaptureCommand& capture, const Bench& bench, Counts& counts) {
  const char* counter = std::getenv("COUNTER");
  REQUIRE(counter != nullptr);
  const auto file = bench.base / "counts";
  Command command{"env", std::string("LD_PRELOAD=") + counter, "COUNT_ALLOCATIONS=" + file.string()};
  const auto rest = command_line(capture);
  command.insert(command.end(), rest.begin(), rest.end());
  auto result = run_process(command, Seconds(120));
  std::string word;
  std::ifstream(file) >> word >> counts.lcores >> word >> counts.others;
  return result;
}

// Names of the threads of a running capture.
std::size_t worker_threads(const Process& process) {
  std::size_t workers = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process.pid()) + "/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    workers += worker_lcore(name).has_value();
  }
  return workers;
}

}  // namespace

TEST_CASE("EAL calls its workers what the counter knows them by") {
  const Bench bench;
  LiveCapture capture({.vdevs = {"net_ring0"}, .outputs = bench.outputs, .options = {}, .lcores = 4});
  REQUIRE(capture.wait_until_running());
  CHECK(worker_threads(capture.process()) == 3);
  CHECK(capture.stop().process.ok());
}

TEST_CASE("lcores allocate nothing between start and stop") {
  if (sanitized) return skip("allocations of lcores", "a sanitizer has its own malloc");
  const auto options = GENERATE(values<Command>({{"--handoff", "packets", "--io", "uring"},
                                                 {"--handoff", "packets", "--io", "pwrite"},
                                                 {"--handoff", "blocks", "--io", "uring"},
                                                 {"--handoff", "packets", "--when-full", "drop"},
                                                 {"--handoff", "packets", "--idle", "adaptive"},
                                                 {"--handoff", "packets", "--until", "block"}}));
  CAPTURE(options);
  const Bench bench(2);
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  CaptureCommand capture{
      .vdevs = {replay_of({bench.trace()}, true)}, .outputs = bench.outputs, .options = options, .lcores = 4};
  capture.options.insert(capture.options.end(), {"--packets", "150000", "--block-size", "64KiB", "--rotate-size",
                                                 "4MiB", "--flush-age", "1ms", "--writer-lcores", "2,3"});
  Counts counts;
  const auto result = run_counted(capture, bench, counts);
  INFO(result.describe());
  CHECK(result.ok());
  CHECK(counts.others > 0);
  CHECK(counts.lcores == 0);
}

TEST_CASE("lcores allocate nothing when a drive fills up under them") {
  if (sanitized) return skip("allocations of lcores", "a sanitizer has its own malloc");
  if (const auto missing = LoopDrive::missing()) return skip("loop drives", *missing);
  const Bench bench;
  const LoopDrive small({.file_system = "ext4", .bytes = 16u << 20});
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  Counts counts;
  const auto result = run_counted({.vdevs = {replay_of({bench.trace()}, true)},
                                   .outputs = {small.path(), bench.outputs[0]},
                                   .options = {"--packets", "150000", "--block-size", "64KiB"}},
                                  bench, counts);
  INFO(result.describe());
  CHECK(result.ok());
  CHECK(counts.lcores == 0);
}
