// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "cli/probes.hpp"
#include "tools/ls.hpp"

namespace wirespool::cli {
namespace {

struct Request : tools::LsOptions, serve::ProbeAccess {
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "ls",
       .summary = "Lists captures and their files: times, packets, bytes, rates, and what was lost meanwhile.",
       .examples = {{"wirespool ls /data/nvme0 /data/nvme1", "a capture over two drives, also while it runs"},
                    {"wirespool ls --json /data/nvme0 | jq '.captures[].losses'"},
                    {"wirespool ls https://probe-a:8443 --token-file token", "what another machine has"}}});
  table
      .operands("DIR|FILE|URL", &Request::places,
                "output directories of captures, capture files, or wirespool serve elsewhere: https://HOST:PORT",
                options::Offers::files)
      .needed();
  table.flag("--scan", &Request::scan, "read files that have no index, to count their packets");
  table.flag("--json", &Request::json, "one JSON object");
  add_probe_access(table);
  return table;
}

int run(Request request) {
  const auto elsewhere = take_lists(request.places, request, request.json);
  if (!elsewhere) return print_error(elsewhere.error());
  confine("ls", machine::FilesLeft::read);
  const auto report =
      request.places.empty() ? std::expected<tools::LsReport, Error>(tools::LsReport{}) : tools::ls(request);
  if (!report) return print_error(report.error());
  if (request.json) {
    const auto json = tools::render_json(*report);
    return print(elsewhere->empty() ? json : serve::joined_captures(json, *elsewhere));
  }
  print_notices(report->notices);
  std::string text = request.places.empty() ? "" : tools::render_table(*report);
  for (const auto& [url, list] : *elsewhere) text += url + "\n" + list;
  return print(text);
}

}  // namespace

std::vector<options::Page> ls_pages() { return {make_table().page()}; }

int cmd_ls(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
