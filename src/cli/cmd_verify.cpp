// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"
#include "tools/terminal.hpp"
#include "tools/verify.hpp"

namespace wirespool::cli {

int cmd_verify(const Args& args) {
  CLI::App app;
  set_up(app, "verify",
         "Reads every record of every file from the drive, and tells all that is wrong. Exit 1 if anything is.",
         "  wirespool verify /data/nvme0 /data/nvme1\n      all drives of a capture: its ledger is counted up too\n"
         "  wirespool verify --json suspect.pcap");
  std::vector<std::string> places;
  bool json = false;
  app.add_option("DIR|FILE", places, "output directories of captures, or capture files")->required();
  app.add_flag("--json", json, "one JSON object");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const bool terminal = tools::stderr_is_terminal();
  const auto progress = [terminal](const tools::FileVerdict& file) {
    if (terminal) tell(fmt::format("{}: {} packets, {} problems\n", file.path, file.packets, file.problems.size()));
  };
  const auto report = tools::verify(places, progress);
  if (!report) return print_problem(report.error());
  return print(json ? tools::render_json(*report) : tools::render_table(*report),
               report->problem_count() == 0 ? Exit::done : Exit::wrong_use);
}

}  // namespace wirespool::cli
