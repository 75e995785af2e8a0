// SPDX-License-Identifier: BSD-3-Clause
#include "tools/disk_bench.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <barrier>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <map>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "machine/drive_look.hpp"
#include "options/values.hpp"
#include "tools/bench_drive.hpp"

namespace wirespool::tools {
namespace {

using Refused = std::unexpected<Error>;

Refused not_ready(std::string what, std::string why, std::string what_to_do = "") {
  return Refused(Error{std::move(what), std::move(why), std::move(what_to_do), Error::Kind::not_ready});
}
Refused failed(const storage::IoError& error) {
  return Refused(storage::as_error(error, "see dmesg for what the drive said", Error::Kind::failed));
}

std::expected<void, Error> check_sizes(const DiskBenchOptions& options) {
  const auto wrong = [](std::string what, std::string why, std::string what_to_do) {
    return Refused(Error{std::move(what), std::move(why), std::move(what_to_do)});
  };
  constexpr std::uint64_t most_bytes = 1 << 30;  // write(2) takes less than 2 GiB at once
  if (options.directories.empty()) return wrong("no directory", "nothing to measure", "give one a drive");
  if (options.block_bytes == 0 || options.block_bytes > most_bytes) {
    return wrong(fmt::format("--block-size {}", options.block_bytes), "not a size of one write",
                 "give 512 bytes to 1GiB");
  }
  if (options.blocks == 0 || options.runs == 0)
    return wrong("--blocks, --runs", "0 measures nothing", "give 1 or more");
  if (options.depth == 0 || options.depth > 1024) {
    return wrong(fmt::format("--depth {}", options.depth), "no number of writes in flight", "give 1 to 1024");
  }
  return {};
}

// Which directories take direct writes; for the others writes go through the page cache, which --io pwrite has to
// allow.
std::expected<std::vector<bool>, Error> check_direct_io(const DiskBenchOptions& options) {
  std::vector<bool> direct;
  for (const auto& directory : options.directories) {
    const auto trial = machine::try_direct_io(directory);
    if (!trial) return Refused(storage::as_error(trial.error(), "give a directory that is there and writable"));
    if (!trial->direct_io && options.uring) {
      return not_ready(directory, "its file system has no O_DIRECT", "--io pwrite measures it through the page cache");
    }
    if (trial->direct_io && options.block_bytes % trial->block_bytes != 0) {
      return not_ready(fmt::format("--block-size {}", options.block_bytes),
                       fmt::format("no multiple of the {} bytes {} writes at once", trial->block_bytes, directory),
                       "choose one");
    }
    direct.push_back(trial->direct_io);
  }
  return direct;
}

// Directories of one file system share its free room.
std::expected<void, Error> check_room(const DiskBenchOptions& options) {
  std::map<dev_t, std::uint64_t> needed;
  for (const auto& directory : options.directories) {
    struct stat status {};
    std::error_code error;
    const auto space = std::filesystem::space(directory, error);
    if (!error && stat(directory.c_str(), &status) != 0) error.assign(errno, std::generic_category());
    if (error) return not_ready(directory, error.message());
    const auto all = needed[status.st_dev] += options.blocks * options.block_bytes;
    if (all <= space.available) continue;
    return not_ready(directory,
                     fmt::format("{} free of the {} the measurement needs", options::format_size(space.available),
                                 options::format_size(all)),
                     "give fewer --blocks");
  }
  return {};
}

std::expected<BenchRun, Error> run_together(std::span<BenchDrive> drives, const std::atomic<bool>& stop) {
  for (auto& drive : drives) {
    if (auto ready = drive.prepare(); !ready) return failed(ready.error());
  }
  std::vector<std::expected<DriveRun, storage::IoError>> results(drives.size());
  {
    std::barrier start(static_cast<std::ptrdiff_t>(drives.size()));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < drives.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        results[i] = drives[i].run(stop);
      });
    }
  }
  BenchRun run;
  for (const auto& result : results) {
    if (!result) return failed(result.error());
    run.drives.push_back(*result);
  }
  return run;
}

std::expected<BenchSet, Error> measure(const DiskBenchOptions& options, std::size_t count,
                                       const std::vector<bool>& direct, const std::atomic<bool>& stop,
                                       const std::function<void(const BenchSet&)>& progress,
                                       std::vector<std::string>& notices) {
  BenchSet set;
  std::vector<BenchDrive> drives;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& directory = options.directories[i];
    auto drive = BenchDrive::open(directory, options, direct[i]);
    if (!drive) return Refused(storage::as_error(drive.error(), "fewer --depth, or --io pwrite"));
    if (!drive->notice().empty()) notices.push_back(directory + ": " + drive->notice());
    drives.push_back(std::move(*drive));
    set.directories.push_back(directory);
  }
  for (unsigned run = 0; run < options.runs && !stop; ++run) {
    auto result = run_together(drives, stop);
    if (!result) return Refused(result.error());
    if (stop) {  // a run that was cut short means nothing
      std::ranges::for_each(drives, &BenchDrive::forget_run);
      break;
    }
    set.runs.push_back(std::move(*result));
    progress(set);
  }
  for (auto& drive : drives) set.latencies.push_back(latency_of(drive.latencies()));
  return set;
}

}  // namespace

std::uint64_t BenchRun::ns() const {
  std::uint64_t longest = 0;
  for (const auto& drive : drives) longest = std::max(longest, drive.ns);
  return longest;
}

double BenchRun::bits_per_s() const {
  DriveRun whole{0, ns(), 0};
  for (const auto& drive : drives) whole.bytes += drive.bytes;
  return whole.bits_per_s();
}

Spread BenchSet::total() const {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(run.bits_per_s());
  return spread_of(values);
}

Spread BenchSet::drive(std::size_t index) const {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(run.drives[index].bits_per_s());
  return spread_of(values);
}

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [min, max] = std::ranges::minmax(values);
  double sum = 0, squares = 0;
  for (const auto value : values) sum += value;
  const auto mean = sum / static_cast<double>(values.size());
  for (const auto value : values) squares += (value - mean) * (value - mean);
  const auto freedom = static_cast<double>(values.size() - 1);
  return {mean, values.size() < 2 ? 0 : std::sqrt(squares / freedom), min, max};
}

// Percentiles by "nearest rank": the smallest value that this share of all values does not exceed.
Latency latency_of(std::vector<std::uint64_t>& values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::max<std::size_t>(rank, 1) - 1];
  };
  return {at(0.5), at(0.9), at(0.99), at(0.999), values.back()};
}

Carried carries(const BenchSet& set, double rate_bits) {
  const auto total = set.total();
  if (set.runs.empty() || total.mean < rate_bits) return Carried::no;
  return total.min < rate_bits ? Carried::on_average : Carried::yes;
}

std::expected<DiskBenchReport, Error> disk_bench(const DiskBenchOptions& options, const std::atomic<bool>& stop,
                                                 const std::function<void(const BenchSet&)>& progress) {
  if (auto sizes = check_sizes(options); !sizes) return Refused(sizes.error());
  const auto direct = check_direct_io(options);
  if (!direct) return Refused(direct.error());
  if (auto room = check_room(options); !room) return Refused(room.error());
  DiskBenchReport report{options, {}, {}, false};
  for (std::size_t i = 0; i < direct->size(); ++i) {
    if (!(*direct)[i])
      report.notices.push_back(options.directories[i] + ": no O_DIRECT, measured through the page cache");
  }
  for (std::size_t count = options.sweep ? 1 : options.directories.size(); count <= options.directories.size();
       ++count) {
    auto set = measure(options, count, *direct, stop, progress, report.notices);
    if (!set) return Refused(set.error());
    report.sets.push_back(std::move(*set));
    if (stop) break;
  }
  report.interrupted = stop;
  return report;
}

}  // namespace wirespool::tools
