// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/repair.hpp"

namespace wirespool::cli {
namespace {

struct Request : tools::RepairOptions {
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "repair",
       .summary = "Makes sealed files of those that a crash, a power cut or a pulled drive left open, with every whole "
                  "packet on the drive. Leaves running captures alone. Exit 1 if a file could not be repaired.",
       .examples = {{"wirespool repair --dry-run /data/nvme0", "tells what would be done"},
                    {"wirespool repair /data/nvme0 /data/nvme1"}}});
  table.operands("DIR", &Request::directories, "output directories of captures", options::Offers::directories).needed();
  table.flag("--dry-run", &Request::dry_run, "change nothing");
  table.flag("--json", &Request::json, "one JSON object");
  return table;
}

int run(const Request& request) {
  write_only_in("repair", request.directories);
  const auto report = tools::repair(request);
  if (!report) return print_error(report.error());
  return print(request.json ? tools::render_json(*report) : tools::render_table(*report),
               report->complete() ? Exit::done : Exit::wrong_use);
}

}  // namespace

std::vector<options::Page> repair_pages() { return {make_table().page()}; }

int cmd_repair(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
