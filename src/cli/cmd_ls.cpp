// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/ls.hpp"

namespace wirespool::cli {
namespace {

struct Request : tools::LsOptions {
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "ls",
       .summary = "Lists captures and their files: times, packets, bytes, rates, and what was lost meanwhile.",
       .examples = {{"wirespool ls /data/nvme0 /data/nvme1", "a capture over two drives, also while it runs"},
                    {"wirespool ls --json /data/nvme0 | jq '.captures[].losses'"}}});
  table
      .operands("DIR|FILE", &Request::places, "output directories of captures, or capture files",
                options::Offers::files)
      .needed();
  table.flag("--scan", &Request::scan, "read files that have no index, to count their packets");
  table.flag("--json", &Request::json, "one JSON object");
  return table;
}

int run(const Request& request) {
  const auto report = tools::ls(request);
  if (!report) return print_error(report.error());
  if (!request.json) print_notices(report->notices);
  return print(request.json ? tools::render_json(*report) : tools::render_table(*report));
}

}  // namespace

std::vector<options::Page> ls_pages() { return {make_table().page()}; }

int cmd_ls(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
