// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "tools/vf.hpp"

namespace wirespool::cli {
namespace {

using tools::MachineTree;
using tools::VfMemory;
using tools::VfProblem;

// What every verb that changes something takes.
struct Common {
  bool dry_run = false;
  std::string memory = VfMemory::default_path;

  void add_to(CLI::App& app) {
    app.add_flag("--dry-run", dry_run, "print the equivalent commands and change nothing");
    add_value(
        app, "--state", "FILE", memory, [](const std::string& text) { return Parsed<std::string>(text); },
        fmt::format("where changes are remembered for 'vf reset' [{}]", memory));
  }
};

int report_problem(const VfProblem& problem) {
  tell(error_line(problem.message, "", ""));
  switch (problem.kind) {
    case VfProblem::Kind::wrong_use:
      return Exit::wrong_use;
    case VfProblem::Kind::not_ready:
      return Exit::machine_not_ready;
    case VfProblem::Kind::failed:
      return Exit::capture_failed;
  }
  return Exit::capture_failed;
}

int print_plan(const tools::VfPlan& plan) {
  std::string text;
  for (const auto& step : plan.steps) text += tools::describe(step.action) + "\n";
  for (const auto& notice : plan.notices) text += fmt::format("# {}\n", notice);
  return print(text);
}

tools::Perform hands() {
  return [](tools::VfStep& step) { return tools::perform(MachineTree(), step); };
}

int do_plan(const tools::PlannedVf& plan, const Common& common) {
  if (!plan) return report_problem(plan.error());
  if (common.dry_run) return print_plan(*plan);
  auto memory = VfMemory::load(common.memory);
  if (!memory) return report_problem(memory.error());
  if (const auto done = tools::carry_out(*plan, *memory, hands()); !done) return report_problem(done.error());
  for (const auto& notice : plan->notices) tell(fmt::format("wirespool: note: {}\n", notice));
  return Exit::done;
}

int show(const Args& args) {
  CLI::App app;
  set_up(app, "vf show", "Lists what can have virtual functions, and those there are.", "  wirespool vf show --json");
  bool json = false;
  app.add_flag("--json", json, "as JSON");
  if (const auto stop = parse(app, args)) return finish(*stop);
  const auto rows = tools::list_functions(MachineTree());
  return print(json ? tools::render_json(rows) : tools::render_table(rows));
}

int create(const Args& args) {
  CLI::App app;
  set_up(app, "vf create", "Makes virtual functions of a physical one.",
         "  wirespool vf create ens1f0 4\n  wirespool vf create 0000:3b:00.0 4 --no-probe");
  tools::CreateRequest request;
  Common common;
  bool no_probe = false;
  app.add_option("PF", request.pf, "interface or PCI address")->required();
  app.add_option("N", request.count, "how many")->required();
  app.add_flag("--no-probe", no_probe, "the kernel's VF driver does not take them");
  common.add_to(app);
  if (const auto stop = parse(app, args)) return finish(*stop);
  request.probe = !no_probe;
  return do_plan(tools::plan_create(MachineTree(), request), common);
}

int reset(const Args& args) {
  CLI::App app;
  set_up(app, "vf reset", "Puts back what the other verbs changed, newest first.",
         "  wirespool vf reset\n  wirespool vf reset ens1f0");
  std::string device;
  Common common;
  app.add_option("DEVICE", device, "only what belongs to this PF");
  common.add_to(app);
  if (const auto stop = parse(app, args)) return finish(*stop);
  auto memory = VfMemory::load(common.memory);
  if (!memory) return report_problem(memory.error());
  const MachineTree tree;
  const auto plan = tools::plan_reset(tree, *memory, device);
  if (!plan) return report_problem(plan.error());
  if (common.dry_run) return print_plan(*plan);
  const auto done = tools::reset(tree, *plan, *memory, hands());
  return done ? Exit::done : report_problem(done.error());
}

int bind(const Args& args) {
  CLI::App app;
  set_up(app, "vf bind", "Gives devices, VFs or not, to a driver for user space.",
         "  wirespool vf bind ens1f0:0 ens1f0:1\n  wirespool vf bind 0000:3b:02.0 --driver uio_pci_generic");
  tools::BindRequest request;
  Common common;
  app.add_option("DEVICE", request.devices, "PCI address, interface, or PF:NUMBER")->required();
  app.add_option("--driver", request.driver, fmt::format("which driver [{}]", request.driver))->type_name("NAME");
  app.add_flag("--force", request.force, "also an interface that routes lead through");
  common.add_to(app);
  if (const auto stop = parse(app, args)) return finish(*stop);
  return do_plan(tools::plan_bind(MachineTree(), request), common);
}

int unbind(const Args& args) {
  CLI::App app;
  set_up(app, "vf unbind", "Gives devices back to the kernel's own driver.", "  wirespool vf unbind ens1f0:0");
  tools::BindRequest request;
  request.driver.clear();
  Common common;
  app.add_option("DEVICE", request.devices, "PCI address, or PF:NUMBER")->required();
  common.add_to(app);
  if (const auto stop = parse(app, args)) return finish(*stop);
  return do_plan(tools::plan_bind(MachineTree(), request), common);
}

// The PF's interface and what it says of its VFs, which plan_trust wants to know; empty where it says nothing.
int trust_with(const tools::TrustRequest& request, const Common& common) {
  const MachineTree tree;
  const auto devices = tools::list_pci_devices(tree);
  const auto vf = tools::find_device(devices, request.vf);
  if (!vf) return report_problem(vf.error());
  const auto parent = std::ranges::find(devices, vf->physical_function, &tools::PciDevice::address);
  std::vector<tools::VfLink> links;
  std::vector<tools::PrivateFlag> flags;
  if (parent != devices.end() && !parent->interfaces.empty()) {
    links = tools::read_vf_links(parent->interfaces.front()).value_or(links);
    flags = tools::read_private_flags(parent->interfaces.front()).value_or(flags);
  }
  return do_plan(tools::plan_trust(tree, request, links, flags), common);
}

int trust(const Args& args) {
  CLI::App app;
  set_up(app, "vf trust", "Lets a VF be promiscuous, and sets what else its PF decides for it.",
         "  wirespool vf trust ens1f0:0 on\n"
         "  wirespool vf trust ens1f0:0 on --mac 52:54:00:12:34:56 --spoofchk off");
  tools::TrustRequest request;
  Common common;
  const auto on_off = Choices<bool>{{"on", true}, {"off", false}};
  const auto text = [](const std::string& word) { return Parsed<std::string>(word); };
  app.add_option("VF", request.vf, "PCI address, or PF:NUMBER")->required();
  add_choice(app, "TRUST", request.trust, on_off, "trusted or not; left out: as it is");
  add_value(app, "--mac", "MAC", request.mac, text, "its address");
  add_whole(app, "--vlan", request.vlan, "VLAN of its frames, 0 for none");
  add_choice(app, "--spoofchk", request.spoof_check, on_off, "drop frames it sends from other addresses");
  add_value(app, "--link-state", "auto|enable|disable", request.link_state, text, "its link");
  common.add_to(app);
  if (const auto stop = parse(app, args)) return finish(*stop);
  return trust_with(request, common);
}

int mirror(const Args& args) {
  CLI::App app;
  set_up(app, "vf mirror", "Lets one VF see the frames of the others, where the PF's driver can do that.",
         "  wirespool vf mirror ens1f0 --to 3\n"
         "      all other VFs and the PF, both directions\n"
         "  wirespool vf mirror ens1f0 --to 3 --from 0,1 --direction in");
  enum class Direction { in, out, both };
  tools::MirrorRequest request;
  Common common;
  auto direction = Direction::both;
  app.add_option("PF", request.pf, "interface or PCI address")->required();
  add_whole(app, "--to", request.to, "the VF that sees them")->required();
  add_number_list(app, "--from", request.from, "only these VFs");
  add_choice(app, "--direction", direction,
             Choices<Direction>{{"in", Direction::in}, {"out", Direction::out}, {"both", Direction::both}},
             "what comes in at a VF, goes out of it, or both [both]");
  common.add_to(app);
  if (const auto stop = parse(app, args)) return finish(*stop);
  request.ingress = direction != Direction::out;
  request.egress = direction != Direction::in;
  return do_plan(tools::plan_mirror(MachineTree(), request), common);
}

struct Verb {
  std::string_view name, summary;
  int (*run)(const Args& args);
};

constexpr auto verbs = std::to_array<Verb>({{"show", "list PFs and VFs, and what a VF will not see", show},
                                            {"create", "make VFs", create},
                                            {"bind", "give devices to vfio-pci", bind},
                                            {"unbind", "give devices back to the kernel", unbind},
                                            {"trust", "let a VF be promiscuous; its MAC, VLAN, spoof check", trust},
                                            {"mirror", "let a VF see the frames of others", mirror},
                                            {"reset", "put back what was changed", reset}});

std::string help_text() {
  std::string text =
      "Virtual functions (SR-IOV): makes, sets and gives them away, and puts everything back.\n"
      "Usage: wirespool vf VERB ...\n\nVerbs:\n";
  for (const auto& verb : verbs) text += fmt::format("  {:<8}{}\n", verb.name, verb.summary);
  return text + "\nAll that change something take --dry-run. wirespool vf VERB --help says more.\n";
}

}  // namespace

int cmd_vf(const Args& args) {
  if (args.empty()) return finish({Exit::wrong_use, "", error_line("vf", "no verb", "see wirespool vf --help")});
  if (args.front() == "--help" || args.front() == "-h") return finish({Exit::done, help_text(), ""});
  const auto verb = std::ranges::find(verbs, args.front(), &Verb::name);
  if (verb != verbs.end()) return verb->run({args.begin() + 1, args.end()});
  return finish({Exit::wrong_use, "", error_line("vf " + args.front(), "unknown verb", "see wirespool vf --help")});
}

}  // namespace wirespool::cli
