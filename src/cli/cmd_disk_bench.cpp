// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "tools/disk_bench.hpp"

namespace wirespool::cli {
namespace {

std::atomic<bool> stop_asked{false};  // lock-free: a signal handler may set it (signal-safety(7))

void ask_to_stop(int) { stop_asked = true; }

void catch_stop_signals() {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
}

std::string with_default(const char* help, const std::string& value) { return fmt::format("{} [{}]", help, value); }

void add_options(CLI::App& app, tools::DiskBenchOptions& options, std::optional<std::uint64_t>& rate) {
  app.add_option("DIR", options.directories, "one directory a drive")->required();
  add_size(app, "--block-size", options.block_bytes,
           with_default("bytes of each write", plan::format_size(options.block_bytes)));
  add_whole(app, "--blocks", options.blocks,
            with_default("writes to each directory and run", std::to_string(options.blocks)));
  add_whole(app, "--runs", options.runs, with_default("how often", std::to_string(options.runs)));
  add_size(app, "--rate", rate, "bits per second to compare with, as 40G")->type_name("RATE");
  add_whole(app, "--depth", options.depth,
            with_default("writes in flight at each directory", std::to_string(options.depth)));
  add_choice(app, "--io", options.uring, Choices<bool>{{"uring", true}, {"pwrite", false}},
             with_default("how; pwrite has one write in flight", options.uring ? "uring" : "pwrite"));
  app.add_flag("--sweep", options.sweep, "the first directory alone, then two, ... instead of all at once");
}

int report_problem(const tools::DiskBenchProblem& problem) {
  tell(error_line(problem.message, "", ""));
  switch (problem.kind) {
    case tools::DiskBenchProblem::Kind::wrong_use:
      return Exit::wrong_use;
    case tools::DiskBenchProblem::Kind::not_ready:
      return Exit::machine_not_ready;
    case tools::DiskBenchProblem::Kind::failed:
      return Exit::capture_failed;
  }
  return Exit::capture_failed;
}

}  // namespace

int cmd_disk_bench(const Args& args) {
  CLI::App app;
  set_up(app, "disk-bench",
         "Measures how fast drives take what a capture writes. Leaves nothing behind, whatever ends it.",
         "  wirespool disk-bench /data/nvme0 /data/nvme1 --rate 40G\n"
         "      both drives together; do they carry 40 Gbit/s?\n"
         "  wirespool disk-bench /data/nvme* --sweep --json\n"
         "      one drive, two drives, ... as in the published experiment\n"
         "  wirespool disk-bench /data/nvme0 --block-size 1MiB --blocks 2000 --runs 3\n"
         "      a capture's usual block size, in a few seconds");
  tools::DiskBenchOptions options;
  std::optional<std::uint64_t> rate;
  bool json = false;
  add_options(app, options, rate);
  app.add_flag("--json", json, "every run as JSON");
  if (const auto stop = parse(app, args)) return finish(*stop);
  if (rate) options.rate_bits = static_cast<double>(*rate);
  catch_stop_signals();
  const auto report =
      tools::disk_bench(options, stop_asked, [](const tools::BenchSet& set) { tell(tools::describe_run(set) + "\n"); });
  if (!report) return report_problem(report.error());
  return print(json ? tools::render_json(*report) : tools::render_table(*report),
               report->interrupted ? Exit::capture_failed : Exit::done);
}

}  // namespace wirespool::cli
