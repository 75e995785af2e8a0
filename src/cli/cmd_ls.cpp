// SPDX-License-Identifier: BSD-3-Clause
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"
#include "tools/ls.hpp"

namespace wirespool::cli {

int cmd_ls(const Args& args) {
  CLI::App app;
  set_up(app, "ls", "Lists captures and their files: times, packets, bytes, rates, and what was lost meanwhile.",
         "  wirespool ls /data/nvme0 /data/nvme1\n      a capture over two drives, also while it runs\n"
         "  wirespool ls --json /data/nvme0 | jq '.captures[].losses'");
  tools::LsOptions options;
  bool json = false;
  app.add_option("DIR", options.places, "output directories of captures, or capture files")->required();
  app.add_flag("--scan", options.scan, "read files that have no index, to count their packets");
  app.add_flag("--json", json, "one JSON object");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const auto report = tools::ls(options);
  if (!report) return print_problem(report.error());
  if (!json) print_notices(report->notices);
  return print(json ? tools::render_json(*report) : tools::render_table(*report));
}

}  // namespace wirespool::cli
