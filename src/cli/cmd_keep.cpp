// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/keep.hpp"

namespace wirespool::cli {
namespace {

struct Request : tools::KeepOptions {
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "keep",
       .summary = "Pins sealed files, so that no retention removes them: FILE.keep beside each says who, when and why. "
                  "Lists pins, or releases them. Exit 1 if something could not be pinned.",
       .examples = {{"wirespool keep --from -10m --to +0s --filter 'host 10.1.2.3' --reason 'ticket 4711' /data/nvme0",
                     "pins each file that holds such a packet"},
                    {"wirespool keep --list /data/nvme0 /data/nvme1"},
                    {"wirespool keep --release /data/nvme0", "all of them"}}});
  table.operands("DIR", &Request::directories, "output directories of captures", options::Offers::directories).needed();
  add_from_and_to(table, &Request::from, &Request::to);
  table.text("--filter", "EXPR", &Request::filter, "pcap-filter(7) expression").without("none");
  table.text("--reason", "TEXT", &Request::reason, "why, for whoever finds the pin").without("none");
  table.flag("--list", &Request::list, "list what is pinned");
  table.flag("--release", &Request::release, "take pins away, of files of that time or all");
  table.flag("--json", &Request::json, "one JSON object");
  return table;
}

int run(const Request& request) {
  const auto places = tools::places_of_pins(request.directories);
  if (!places) return print_error(places.error());
  if (!request.list) write_only_in("keep", *places);
  const auto report = tools::keep(request);
  if (!report) return print_error(report.error());
  if (!request.json) print_notices(report->notices);
  return print(request.json ? tools::render_json(*report) : tools::render_table(*report),
               report->complete() ? Exit::done : Exit::wrong_use);
}

}  // namespace

std::vector<options::Page> keep_pages() { return {make_table().page()}; }

int cmd_keep(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
