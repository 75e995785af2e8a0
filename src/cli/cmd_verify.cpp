// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "format/printable.hpp"
#include "tools/terminal.hpp"
#include "tools/verify.hpp"

namespace wirespool::cli {
namespace {

struct Request {
  std::vector<std::string> places;
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "verify",
       .summary =
           "Reads every record of every file from the drive, and tells all that is wrong. Exit 1 if anything is.",
       .examples = {
           {"wirespool verify /data/nvme0 /data/nvme1", "all drives of a capture: its ledger is counted up too"},
           {"wirespool verify --json suspect.pcap"}}});
  table
      .operands("DIR|FILE", &Request::places, "output directories of captures, or capture files",
                options::Offers::files)
      .needed();
  table.flag("--json", &Request::json, "one JSON object");
  return table;
}

int run(const Request& request) {
  const bool terminal = tools::stderr_is_terminal();
  const auto progress = [terminal](const tools::FileVerdict& file) {
    if (terminal)
      tell(fmt::format("{}: {} packets, {} problems\n", format::printable(file.path), file.packets,
                       file.problems.size()));
  };
  const auto report = tools::verify(request.places, progress);
  if (!report) return print_error(report.error());
  return print(request.json ? tools::render_json(*report) : tools::render_table(*report),
               report->problem_count() == 0 ? Exit::done : Exit::wrong_use);
}

}  // namespace

std::vector<options::Page> verify_pages() { return {make_table().page()}; }

int cmd_verify(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
