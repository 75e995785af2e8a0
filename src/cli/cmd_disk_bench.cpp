// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/disk_bench.hpp"

namespace wirespool::cli {
namespace {

std::atomic<bool> stop_asked{false};  // lock-free: a signal handler may set it (signal-safety(7))

void ask_to_stop(int) { stop_asked = true; }

void catch_stop_signals() {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
}

struct Request : tools::DiskBenchOptions {
  std::optional<std::uint64_t> rate;
  bool json = false;
};

options::Page about() {
  return {.command = "disk-bench",
          .summary = "Measures how fast drives take what a capture writes. Leaves nothing behind, whatever ends it.",
          .examples = {{"wirespool disk-bench /data/nvme0 /data/nvme1 --rate 40G",
                        "both drives together; do they carry 40 Gbit/s?"},
                       {"wirespool disk-bench /data/nvme* --sweep --json",
                        "one drive, two drives, ... as in the published experiment"},
                       {"wirespool disk-bench /data/nvme0 --block-size 1MiB --blocks 2000 --runs 3",
                        "a capture's usual block size, in a few seconds"}}};
}

options::Table<Request> make_table() {
  options::Table<Request> table(about());
  table.operands("DIR", &Request::directories, "one directory a drive", options::Offers::directories).needed();
  table.size("--block-size", &Request::block_bytes, "bytes of each write");
  table.whole("--blocks", &Request::blocks, "writes to each directory and run");
  table.whole("--runs", &Request::runs, "how often");
  table.rate("--rate", &Request::rate, "bits per second to compare with, as 40G");
  table.whole("--depth", &Request::depth, "writes in flight at each directory");
  table.choice("--io", &Request::uring, {{"uring", true}, {"pwrite", false}}, "how; pwrite has one write in flight");
  table.flag("--sweep", &Request::sweep, "the first directory alone, then two, ... instead of all at once");
  table.flag("--json", &Request::json, "every run as JSON");
  return table;
}

int run(const Request& request) {
  auto options = static_cast<const tools::DiskBenchOptions&>(request);
  if (request.rate) options.rate_bits = static_cast<double>(*request.rate);
  catch_stop_signals();
  const auto report =
      tools::disk_bench(options, stop_asked, [](const tools::BenchSet& set) { tell(tools::describe_run(set) + "\n"); });
  if (!report) return print_error(report.error());
  return print(request.json ? tools::render_json(*report) : tools::render_table(*report),
               report->interrupted ? Exit::failed : Exit::done);
}

}  // namespace

std::vector<options::Page> disk_bench_pages() { return {make_table().page()}; }

int cmd_disk_bench(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
