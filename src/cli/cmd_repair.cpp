// SPDX-License-Identifier: BSD-3-Clause
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"
#include "tools/repair.hpp"

namespace wirespool::cli {

int cmd_repair(const Args& args) {
  CLI::App app;
  set_up(app, "repair",
         "Makes sealed files of those that a crash, a power cut or a pulled drive left open, with every whole packet "
         "on the "
         "drive. Leaves running captures alone. Exit 1 if a file could not be repaired.",
         "  wirespool repair --dry-run /data/nvme0\n      tells what would be done\n  wirespool repair /data/nvme0 "
         "/data/nvme1");
  tools::RepairOptions options;
  bool json = false;
  app.add_option("DIR", options.directories, "output directories of captures")->required();
  app.add_flag("--dry-run", options.dry_run, "change nothing");
  app.add_flag("--json", json, "one JSON object");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const auto report = tools::repair(options);
  if (!report) return print_problem(report.error());
  return print(json ? tools::render_json(*report) : tools::render_table(*report),
               report->complete() ? Exit::done : Exit::wrong_use);
}

}  // namespace wirespool::cli
