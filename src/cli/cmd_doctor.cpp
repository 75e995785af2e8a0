// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/output.hpp"
#include "tools/doctor.hpp"

namespace wirespool::cli {

int cmd_doctor(const Args& args) {
  CLI::App app;
  set_up(app, "doctor",
         "Says what stands between this machine and a capture without loss. Only looks, unless --try-write.",
         "  wirespool doctor\n"
         "      hugepages, IOMMU, ports, CPUs, limits, clock; exit code 2 if something must be fixed\n"
         "  wirespool doctor /data/nvme0 /data/nvme1\n"
         "      and the drives below these directories");
  tools::LookOptions options;
  bool json = false;
  app.add_option("DIR", options.directories, "directories a capture would write to");
  app.add_flag("--try-write", options.try_write, "also write to each DIR: one Block, to a file without a name");
  app.add_flag("--json", json, "findings and facts as JSON");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const auto report = tools::doctor(tools::MachineTree(), options);
  const auto text = json ? tools::render_json(report) : tools::render_table(report);
  return print(text, report.ready() ? Exit::done : Exit::machine_not_ready);
}

}  // namespace wirespool::cli
