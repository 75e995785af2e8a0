// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/io_error.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// `wirespool disk-bench DIR...`: how fast the drives take what a capture would write. The published experiment (Leira
// et al., Computer Networks 2019, figure 4) is 3000 blocks of 5632 KB a drive, 10 runs, 1 to N drives together.
struct DiskBenchOptions {
  std::vector<std::string> directories;
  std::uint64_t block_bytes = 5632 * 1024;
  std::uint64_t blocks = 3000;  // per directory and run
  unsigned runs = 10;
  unsigned depth = 8;               // writes in flight per directory
  bool uring = true;                // else pwrite, which has one in flight
  bool sweep = false;               // 1, 2, ... N directories instead of all at once
  std::optional<double> rate_bits;  // per second: the rate that the drives should carry
};

// One directory in one run.
struct DriveRun {
  std::uint64_t bytes = 0;
  std::uint64_t ns = 0;       // from the common start to this directory's last finished write
  std::uint64_t sync_ns = 0;  // fdatasync(2) after it
  double bits_per_s() const { return ns == 0 ? 0 : 8e9 * static_cast<double>(bytes) / static_cast<double>(ns); }
};

// One run over all directories of a set. It takes as long as its slowest drive.
struct BenchRun {
  std::vector<DriveRun> drives;
  std::uint64_t ns() const;
  double bits_per_s() const;
};

struct Spread {
  double mean = 0, stddev = 0, min = 0, max = 0;  // stddev: of a sample (n - 1)
};
Spread spread_of(const std::vector<double>& values);

struct Latency {
  std::uint64_t p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;  // ns
};
Latency latency_of(std::vector<std::uint64_t>& values);  // sorts them

// All runs of one set of directories.
struct BenchSet {
  std::vector<std::string> directories;
  std::vector<BenchRun> runs;
  std::vector<Latency> latencies;  // one per directory, over all runs
  Spread total() const;            // bits per second
  Spread drive(std::size_t index) const;
};

struct DiskBenchReport {
  DiskBenchOptions options;
  std::vector<BenchSet> sets;
  std::vector<std::string> notices;
  bool interrupted = false;
};

// Writes, measures and leaves nothing behind: its files never have a name. Stops early, with what is finished, when
// `stop` is set. `progress` is told each finished run.
std::expected<DiskBenchReport, Error> disk_bench(
    const DiskBenchOptions& options, const std::atomic<bool>& stop,
    const std::function<void(const BenchSet&)>& progress = [](const BenchSet&) {});

enum class Carried { no, on_average, yes };  // on_average: the mean does, but not the slowest run
Carried carries(const BenchSet& set, double rate_bits);

std::string render_table(const DiskBenchReport& report);
std::string render_json(const DiskBenchReport& report);
std::string describe_run(const BenchSet& set);  // one line about the last finished run
std::string describe_bits(double bits_per_s);   // "39.83 Gbit/s"

}  // namespace wirespool::tools
