// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/make_index.hpp"

namespace wirespool::cli {
namespace {

using Request = tools::IndexOptions;

options::Table<Request> make_table() {
  using format::IndexLevel;
  options::Table<Request> table(
      {.command = "index",
       .summary = "Makes the index beside each file, so that extract reads only what can matter. Exit 1 if a file "
                  "could not be read.",
       .examples = {{"wirespool index /data/nvme0 /data/nvme1", "addresses, ports, protocols and VLANs of every Block"},
                    {"wirespool index --level time --again /data/nvme0"}}});
  table.operands("DIR|FILE", &Request::places, "output directories of captures, or pcap files", options::Offers::files)
      .needed();
  table.choice("--level", &Request::level, {{"time", IndexLevel::time}, {"flow", IndexLevel::flow}},
               "what it knows of each Block: times, or addresses, ports, protocols and VLANs too");
  table.flag("--again", &Request::again, "also where there is a good one already");
  return table;
}

int run(Request request) {
  request.limit_writes = [](const std::vector<std::string>& paths) { write_only_in("index", paths); };
  const auto report = tools::make_indices(request);
  if (!report) return print_error(report.error());
  print_notices(report->notices);
  return print(tools::render_table(*report), report->complete() ? Exit::done : Exit::wrong_use);
}

}  // namespace

std::vector<options::Page> index_pages() { return {make_table().page()}; }

int cmd_index(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
