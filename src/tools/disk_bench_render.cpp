// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/disk_bench.hpp"

namespace wirespool::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string describe_us(std::uint64_t ns) {
  return ns < 10'000'000 ? fmt::format("{:.0f} us", static_cast<double>(ns) / 1e3)
                         : fmt::format("{:.1f} ms", static_cast<double>(ns) / 1e6);
}

std::string row(const std::string& name, std::size_t width, const Spread& spread) {
  return fmt::format("{:<{}}  {:>9.3f}  {:>7.3f}  {:>9.3f}  {:>9.3f}", name, width, spread.mean / 1e9,
                     spread.stddev / 1e9, spread.min / 1e9, spread.max / 1e9);
}

std::string verdict(const BenchSet& set, double rate) {
  const auto total = set.total();
  const auto wanted = describe_bits(rate);
  switch (carries(set, rate)) {
    case Carried::yes:
      return fmt::format("carries {}: yes, the slowest run had {}\n", wanted, describe_bits(total.min));
    case Carried::on_average:
      return fmt::format("carries {}: on average only, the slowest run had {}\n", wanted, describe_bits(total.min));
    case Carried::no:
      return fmt::format("carries {}: no, it takes about {:.1f} times these drives\n", wanted,
                         total.mean > 0 ? rate / total.mean : 0);
  }
  return "";
}

std::string describe_together(std::size_t directories) {
  return directories == 1 ? "1 directory" : fmt::format("{} directories together", directories);
}

std::string render_set(const BenchSet& set, const std::optional<double>& rate) {
  std::size_t width = 5;
  for (const auto& directory : set.directories) width = std::max(width, directory.size());
  auto text = fmt::format("{}, whole runs: {}, Gbit/s:\n{:<{}}  {:>9}  {:>7}  {:>9}  {:>9}   {:>9} {:>9} {:>9} {:>9}\n",
                          describe_together(set.directories.size()), set.runs.size(), "", width, "mean", "stddev",
                          "min", "max", "write p50", "p90", "p99", "max");
  for (std::size_t i = 0; i < set.directories.size(); ++i) {
    const auto& latency = set.latencies[i];
    text += row(set.directories[i], width, set.drive(i)) +
            fmt::format("   {:>9} {:>9} {:>9} {:>9}\n", describe_us(latency.p50), describe_us(latency.p90),
                        describe_us(latency.p99), describe_us(latency.max));
  }
  text += row("total", width, set.total()) + "\n";
  return text + (rate ? verdict(set, *rate) : "") + "\n";
}

Json json_of(const Spread& spread) {
  return {{"mean", spread.mean}, {"stddev", spread.stddev}, {"min", spread.min}, {"max", spread.max}};
}

Json json_of(const Latency& latency) {
  return {
      {"p50", latency.p50}, {"p90", latency.p90}, {"p99", latency.p99}, {"p999", latency.p999}, {"max", latency.max}};
}

Json json_of(const BenchRun& run, const BenchSet& set) {
  auto drives = Json::array();
  for (std::size_t i = 0; i < run.drives.size(); ++i) {
    const auto& drive = run.drives[i];
    drives.push_back({{"path", set.directories[i]},
                      {"bytes", drive.bytes},
                      {"ns", drive.ns},
                      {"sync_ns", drive.sync_ns},
                      {"bits_per_s", drive.bits_per_s()}});
  }
  return {{"ns", run.ns()}, {"bits_per_s", run.bits_per_s()}, {"drives", drives}};
}

Json json_of(const BenchSet& set, const std::optional<double>& rate) {
  auto drives = Json::array(), runs = Json::array();
  for (std::size_t i = 0; i < set.directories.size(); ++i) {
    drives.push_back({{"path", set.directories[i]},
                      {"bits_per_s", json_of(set.drive(i))},
                      {"write_latency_ns", json_of(set.latencies[i])}});
  }
  for (const auto& run : set.runs) runs.push_back(json_of(run, set));
  Json json = {{"directories", set.directories.size()},
               {"bits_per_s", json_of(set.total())},
               {"drives", drives},
               {"runs", runs}};
  if (!rate) return json;
  const auto carried = carries(set, *rate);
  json["carries"] = carried == Carried::yes ? "yes" : carried == Carried::no ? "no" : "on-average";
  return json;
}

}  // namespace

std::string describe_bits(double bits_per_s) {
  return bits_per_s >= 1e9 ? fmt::format("{:.2f} Gbit/s", bits_per_s / 1e9)
                           : fmt::format("{:.1f} Mbit/s", bits_per_s / 1e6);
}

std::string describe_run(const BenchSet& set) {
  if (set.runs.empty()) return "";
  return fmt::format("{}, run {}: {}", describe_together(set.directories.size()), set.runs.size(),
                     describe_bits(set.runs.back().bits_per_s()));
}

std::string render_table(const DiskBenchReport& report) {
  const auto& options = report.options;
  auto text =
      fmt::format("{} blocks of {} bytes a directory and run, {}\n\n", options.blocks, options.block_bytes,
                  options.uring ? fmt::format("io_uring, {} in flight", options.depth) : "pwrite, one in flight");
  for (const auto& set : report.sets) {
    if (!set.runs.empty()) text += render_set(set, options.rate_bits);
  }
  for (const auto& notice : report.notices) text += "note: " + notice + "\n";
  if (report.interrupted) text += "note: interrupted; only whole runs are counted\n";
  return text;
}

std::string render_json(const DiskBenchReport& report) {
  const auto& options = report.options;
  auto sets = Json::array();
  for (const auto& set : report.sets) sets.push_back(json_of(set, options.rate_bits));
  Json json = {{"block_bytes", options.block_bytes},
               {"blocks", options.blocks},
               {"runs", options.runs},
               {"depth", options.uring ? options.depth : 1},
               {"io", options.uring ? "uring" : "pwrite"}};
  json["rate_bits_per_s"] = options.rate_bits ? Json(*options.rate_bits) : Json();
  json["interrupted"] = report.interrupted;
  json["notices"] = report.notices;
  json["sets"] = sets;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools
