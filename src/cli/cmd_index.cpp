// SPDX-License-Identifier: BSD-3-Clause
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"
#include "tools/make_index.hpp"

namespace wirespool::cli {

int cmd_index(const Args& args) {
  CLI::App app;
  set_up(app, "index",
         "Makes the index beside each file, so that extract reads only what can matter. Exit 1 if a file could not be "
         "read.",
         "  wirespool index /data/nvme0 /data/nvme1\n      addresses, ports, protocols and VLANs of every Block\n"
         "  wirespool index --level time --again /data/nvme0");
  tools::IndexOptions options;
  app.add_option("DIR|FILE", options.places, "output directories of captures, or pcap files")->required();
  add_choice(app, "--level", options.level,
             Choices<format::IndexLevel>{{"time", format::IndexLevel::time}, {"flow", format::IndexLevel::flow}},
             "what it knows of each Block: times, or addresses, ports, protocols and VLANs too [flow]");
  app.add_flag("--again", options.again, "also where there is a good one already");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const auto report = tools::make_indices(options);
  if (!report) return print_problem(report.error());
  print_notices(report->notices);
  return print(tools::render_table(*report), report->complete() ? Exit::done : Exit::wrong_use);
}

}  // namespace wirespool::cli
