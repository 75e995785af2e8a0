// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "doctor/doctor.hpp"

namespace wirespool::cli {
namespace {

struct Request : machine::LookOptions {
  bool json = false;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "doctor",
       .summary = "Says what stands between this machine and a capture without loss. Only looks, unless --try-write.",
       .examples = {
           {"wirespool doctor", "hugepages, IOMMU, ports, CPUs, limits, clock; exit code 2 if something must be fixed"},
           {"wirespool doctor /data/nvme0 /data/nvme1", "and the drives below these directories"}}});
  table.operands("DIR", &Request::directories, "directories a capture would write to", options::Offers::directories);
  table.flag("--try-write", &Request::try_write, "also write to each DIR: one Block, to a file without a name");
  table.flag("--json", &Request::json, "findings and facts as JSON");
  return table;
}

int run(const Request& request) {
  const auto report = doctor::doctor(machine::MachineTree(), request);
  const auto text = request.json ? doctor::render_json(report) : doctor::render_table(report);
  return print(text, report.ready() ? Exit::done : Exit::machine_not_ready);
}

}  // namespace

std::vector<options::Page> doctor_pages() { return {make_table().page()}; }

int cmd_doctor(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli
