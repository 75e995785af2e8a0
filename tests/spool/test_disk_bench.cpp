// SPDX-License-Identifier: BSD-3-Clause
#include <filesystem>
#include <thread>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "tools/disk_bench.hpp"

using namespace wirespool;
using namespace wirespool::tools;

namespace {

DiskBenchOptions small(const test::TempDir& directory) {
  DiskBenchOptions options;
  options.directories = {directory.str()};
  options.block_bytes = 64 * 1024;
  options.blocks = 50;
  options.runs = 3;
  options.depth = 4;
  return options;
}

const std::atomic<bool> go_on{false};

}  // namespace

TEST_CASE("a measurement counts all blocks of all runs and leaves nothing") {
  const test::TempDir first, second;
  for (const bool uring : {true, false}) {
    auto options = small(first);
    options.directories.push_back(second.str());
    options.uring = uring;
    const auto report = disk_bench(options, go_on);
    REQUIRE(report);
    REQUIRE(report->sets.size() == 1);
    REQUIRE(report->sets[0].runs.size() == 3);
    for (const auto& run : report->sets[0].runs) {
      for (const auto& drive : run.drives) CHECK(drive.bytes == 50 * 64 * 1024);
      CHECK(run.bits_per_s() > 0);
    }
    for (const auto& latency : report->sets[0].latencies) {
      CHECK(latency.p50 > 0);
      CHECK(latency.p50 <= latency.max);
    }
    CHECK(std::filesystem::is_empty(first.path()));
    CHECK(std::filesystem::is_empty(second.path()));
  }
}

TEST_CASE("a sweep measures one directory, then two") {
  const test::TempDir first, second;
  auto options = small(first);
  options.directories.push_back(second.str());
  options.sweep = true;
  options.runs = 1;
  const auto report = disk_bench(options, go_on);
  REQUIRE(report);
  REQUIRE(report->sets.size() == 2);
  CHECK(report->sets[0].directories.size() == 1);
  CHECK(report->sets[1].directories.size() == 2);
}

TEST_CASE("a stop ends a measurement soon, counts whole runs only and leaves nothing") {
  const test::TempDir directory;
  auto options = small(directory);
  options.runs = 1000;
  std::atomic<bool> stop{false};
  const auto report = disk_bench(options, stop, [&](const BenchSet& set) { stop = set.runs.size() == 2; });
  REQUIRE(report);
  CHECK(report->interrupted);
  CHECK(report->sets[0].runs.size() == 2);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("existing files are left alone") {
  const test::TempDir directory;
  std::filesystem::create_directory(directory / "captures");
  const auto before = std::filesystem::last_write_time(directory / "captures");
  REQUIRE(disk_bench(small(directory), go_on));
  CHECK(std::filesystem::last_write_time(directory / "captures") == before);
}

TEST_CASE("more than the free room is refused before anything is written") {
  const test::TempDir directory;
  auto options = small(directory);
  options.blocks = std::uint64_t{1} << 40;
  const auto report = disk_bench(options, go_on);
  REQUIRE_FALSE(report);
  CHECK(report.error().kind == Error::Kind::not_ready);
  CHECK(report.error().message().find("give fewer --blocks") != std::string::npos);
}

TEST_CASE("a directory that is not there, and sizes that measure nothing, are refused") {
  const test::TempDir directory;
  auto options = small(directory);
  options.directories = {(directory / "nothing").string()};
  CHECK(disk_bench(options, go_on).error().kind == Error::Kind::not_ready);
  options = small(directory);
  options.block_bytes = 1000;  // no multiple of any drive's block
  CHECK_FALSE(disk_bench(options, go_on));
  options = small(directory);
  options.depth = 0;
  CHECK(disk_bench(options, go_on).error().kind == Error::Kind::wrong_use);
  CHECK(disk_bench({}, go_on).error().kind == Error::Kind::wrong_use);
}
