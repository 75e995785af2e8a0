// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/retain.hpp"

namespace wirespool::cli {
namespace {

struct Request : tools::RetainOptions {
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "retain",
       .summary =
           "Removes the oldest sealed files until the rest is within limits, as a capture with --retain-free, "
           "--retain-size or --retain-age does all the time. Leaves open, pinned and foreign files alone. Exit 1 "
           "if not enough could go.",
       .examples = {{"wirespool retain --dry-run --free 10% /data/nvme0", "tells what would go"},
                    {"wirespool retain --age 168h /data/nvme0 /data/nvme1", "keeps the last seven days"},
                    {"wirespool retain --size 10TiB /data/nvme0", "keeps the last 10 TiB"}}});
  table.operands("DIR", &Request::directories, "output directories of captures", options::Offers::directories).needed();
  table.share("--free", &Request::free, "how much of the file system is to be free").without("no such limit");
  table.size("--size", &Request::size, "the most that a directory's files may take").without("no such limit");
  table.time("--age", &Request::age_ns, "the most that may have passed since a file's last packet")
      .without("no such limit");
  table.flag("--dry-run", &Request::dry_run, "change nothing");
  table.flag("--json", &Request::json, "one JSON object");
  return table;
}

int run(const Request& request) {
  write_only_in("retain", request.directories);
  const auto report = tools::retain(request);
  if (!report) return print_error(report.error());
  return print(request.json ? tools::render_json(*report) : tools::render_table(*report),
               report->complete() ? Exit::done : Exit::wrong_use);
}

}  // namespace

std::vector<options::Page> retain_pages() { return {make_table().page()}; }

int cmd_retain(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
