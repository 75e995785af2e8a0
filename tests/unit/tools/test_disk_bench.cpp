// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "tools/disk_bench.hpp"

using namespace wirespool::tools;

namespace {

// `bits` per second a run, on one directory.
BenchSet set_of(const std::vector<double>& bits) {
  BenchSet set;
  set.directories = {"/data/nvme0"};
  set.latencies = {{}};
  for (const auto rate : bits) set.runs.push_back({{{static_cast<std::uint64_t>(rate / 8), 1'000'000'000, 0}}});
  return set;
}

}  // namespace

TEST_CASE("the spread of runs is that of a sample") {
  const auto spread = spread_of({2, 4, 4, 4, 5, 5, 7, 9});
  CHECK(spread.mean == 5);
  CHECK(std::abs(spread.stddev - 2.13809) < 1e-5);
  CHECK(spread.min == 2);
  CHECK(spread.max == 9);
  CHECK(spread_of({3}).stddev == 0);
  CHECK(spread_of({}).mean == 0);
}

TEST_CASE("percentiles are values that were measured") {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 1000; i > 0; --i) values.push_back(i);
  const auto latency = latency_of(values);
  CHECK(latency.p50 == 500);
  CHECK(latency.p99 == 990);
  CHECK(latency.p999 == 999);
  CHECK(latency.max == 1000);
  std::vector<std::uint64_t> one = {7}, none;
  CHECK(latency_of(one).p50 == 7);
  CHECK(latency_of(none).max == 0);
}

TEST_CASE("a run takes as long as its slowest drive") {
  const BenchRun run{{{1'000'000'000, 1'000'000'000, 0}, {1'000'000'000, 2'000'000'000, 0}}};
  CHECK(run.ns() == 2'000'000'000);
  CHECK(run.bits_per_s() == 8e9);
}

TEST_CASE("a rate is carried only if the slowest run carries it") {
  CHECK(carries(set_of({41e9, 42e9}), 40e9) == Carried::yes);
  CHECK(carries(set_of({39e9, 42e9}), 40e9) == Carried::on_average);
  CHECK(carries(set_of({39e9, 40e9}), 40e9) == Carried::no);
  CHECK(carries(set_of({}), 1) == Carried::no);
}

TEST_CASE("the JSON carries each run, each drive and the verdict") {
  DiskBenchReport report;
  report.options.directories = {"/data/nvme0"};
  report.options.rate_bits = 10e9;
  report.sets = {set_of({16e9, 24e9})};
  const auto json = nlohmann::json::parse(render_json(report));
  CHECK(json["block_bytes"] == 5632 * 1024);
  const auto& set = json["sets"][0];
  CHECK(set["bits_per_s"]["mean"] == 20e9);
  CHECK(set["runs"].size() == 2);
  CHECK(set["runs"][1]["drives"][0]["bytes"] == 3'000'000'000);
  CHECK(set["carries"] == "yes");
  CHECK(render_table(report).find("carries 10.00 Gbit/s: yes") != std::string::npos);
}
