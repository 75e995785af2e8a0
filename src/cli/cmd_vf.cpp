// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "vf/vf.hpp"

namespace wirespool::cli {
namespace {

using machine::MachineTree;
using vf::VfMemory;

// Options of every verb that changes something.
struct Common {
  bool dry_run = false;
  std::string memory = VfMemory::default_path;
};

template <typename Request>
void add_common(options::Table<Request>& table) {
  table.flag("--dry-run", &Request::dry_run, "print the equivalent commands and change nothing");
  table.text("--state", "FILE", &Request::memory, "where changes are remembered for 'vf reset'",
             options::Offers::files);
}

int print_plan(const vf::VfPlan& plan) {
  std::string text;
  for (const auto& step : plan.steps) text += vf::describe(step.action) + "\n";
  for (const auto& notice : plan.notices) text += fmt::format("# {}\n", notice);
  return print(text);
}

vf::Perform hands() {
  return [](vf::VfStep& step) { return vf::perform(MachineTree(), step); };
}

int do_plan(const vf::PlannedVf& plan, const Common& common) {
  if (!plan) return print_error(plan.error());
  if (common.dry_run) return print_plan(*plan);
  auto memory = VfMemory::load(common.memory);
  if (!memory) return print_error(memory.error());
  if (const auto done = vf::carry_out(*plan, *memory, hands()); !done) return print_error(done.error());
  for (const auto& notice : plan->notices) tell(fmt::format("wirespool: note: {}\n", notice));
  return Exit::done;
}

struct Show {
  bool json = false;
};

options::Table<Show> show_table() {
  options::Table<Show> table({.command = "vf show",
                              .summary = "Lists what can have virtual functions, and those there are.",
                              .examples = {{"wirespool vf show --json"}}});
  table.flag("--json", &Show::json, "as JSON");
  return table;
}

int show(const Show& request) {
  const auto rows = vf::list_functions(MachineTree());
  return print(request.json ? vf::render_json(rows) : vf::render_table(rows));
}

struct Create : vf::CreateRequest, Common {};

options::Table<Create> create_table() {
  options::Table<Create> table(
      {.command = "vf create",
       .summary = "Makes virtual functions of a physical one.",
       .examples = {{"wirespool vf create ens1f0 4"}, {"wirespool vf create 0000:3b:00.0 4 --no-probe"}}});
  table.operand("PF", &Create::pf, "interface or PCI address").needed();
  table.whole("N", &Create::count, "how many").needed();
  table.flag("--no-probe", &Create::probe, "the kernel's VF driver does not take them", false);
  add_common(table);
  return table;
}

int create(const Create& request) { return do_plan(vf::plan_create(MachineTree(), request), request); }

struct Reset : Common {
  std::string device;
};

options::Table<Reset> reset_table() {
  options::Table<Reset> table({.command = "vf reset",
                               .summary = "Puts back what the other verbs changed, newest first.",
                               .examples = {{"wirespool vf reset"}, {"wirespool vf reset ens1f0"}}});
  table.operand("DEVICE", &Reset::device, "only what belongs to this PF");
  add_common(table);
  return table;
}

int reset(const Reset& request) {
  auto memory = VfMemory::load(request.memory);
  if (!memory) return print_error(memory.error());
  const MachineTree tree;
  const auto plan = vf::plan_reset(tree, *memory, request.device);
  if (!plan) return print_error(plan.error());
  if (request.dry_run) return print_plan(*plan);
  const auto done = vf::reset(tree, *plan, *memory, hands());
  return done ? Exit::done : print_error(done.error());
}

struct Bind : vf::BindRequest, Common {};

options::Table<Bind> bind_table() {
  options::Table<Bind> table({.command = "vf bind",
                              .summary = "Gives devices, VFs or not, to a driver for user space.",
                              .examples = {{"wirespool vf bind ens1f0:0 ens1f0:1"},
                                           {"wirespool vf bind 0000:3b:02.0 --driver uio_pci_generic"}}});
  table.operands("DEVICE", &Bind::devices, "PCI address, interface, or PF:NUMBER").needed();
  table.text("--driver", "NAME", &Bind::driver, "which driver");
  table.flag("--force", &Bind::force, "also a device that is in use, or that DPDK shares with the kernel");
  add_common(table);
  return table;
}

options::Table<Bind> unbind_table() {
  options::Table<Bind> table({.command = "vf unbind",
                              .summary = "Gives devices back to the kernel's own driver.",
                              .examples = {{"wirespool vf unbind ens1f0:0"}}});
  table.operands("DEVICE", &Bind::devices, "PCI address, or PF:NUMBER").needed();
  add_common(table);
  return table;
}

int bind(const Bind& request) { return do_plan(vf::plan_bind(MachineTree(), request), request); }

int unbind(Bind request) {
  request.driver.clear();
  return bind(request);
}

struct Trust : vf::TrustRequest, Common {};

options::Table<Trust> trust_table() {
  const options::Choices<bool> on_off{{"on", true}, {"off", false}};
  options::Table<Trust> table(
      {.command = "vf trust",
       .summary = "Lets a VF be promiscuous, and sets what else its PF decides for it.",
       .examples = {{"wirespool vf trust ens1f0:0 on"},
                    {"wirespool vf trust ens1f0:0 on --mac 52:54:00:12:34:56 --spoofchk off"}}});
  table.operand("VF", &Trust::vf, "PCI address, or PF:NUMBER").needed();
  table.choice("TRUST", &Trust::trust, on_off, "on or off: trusted or not").without("as it is");
  table.text("--mac", "MAC", &Trust::mac, "its address");
  table.whole("--vlan", &Trust::vlan, "VLAN of its frames, 0 for none");
  table.choice("--spoofchk", &Trust::spoof_check, on_off, "drop frames it sends from other addresses");
  table.text("--link-state", "auto|enable|disable", &Trust::link_state, "its link");
  table.flag("--force", &Trust::force, "also a VF in use, though its PF resets it for a new trust, MAC or VLAN");
  add_common(table);
  return table;
}

// Reads what the PF's interfaces say of its VFs, if anything, for plan_trust.
int trust(const Trust& request) {
  const MachineTree tree;
  const auto devices = machine::list_pci_devices(tree);
  const auto vf = vf::find_device(devices, request.vf);
  if (!vf) return print_error(vf.error());
  const auto pf = std::ranges::find(devices, vf->physical_function, &machine::PciDevice::address);
  std::vector<vf::VfLink> links;
  std::vector<vf::PrivateFlag> flags;
  if (pf != devices.end()) {
    const auto parent = vf::describe_parent(tree, devices, *pf);
    links = vf::read_vf_links(parent.interface).value_or(links);
    flags = vf::read_private_flags(parent.flag_interface).value_or(flags);
  }
  return do_plan(vf::plan_trust(tree, request, links, flags), request);
}

enum class Direction { in, out, both };

struct Mirror : vf::MirrorRequest, Common {
  Direction direction = Direction::both;
};

options::Table<Mirror> mirror_table() {
  options::Table<Mirror> table(
      {.command = "vf mirror",
       .summary = "Lets one VF see the frames of the others, where the PF's driver can do that.",
       .examples = {{"wirespool vf mirror ens1f0 --to 3", "all other VFs and the PF, both directions"},
                    {"wirespool vf mirror ens1f0 --to 3 --from 0,1 --direction in"}}});
  table.operand("PF", &Mirror::pf, "interface or PCI address").needed();
  table.whole("--to", &Mirror::to, "the VF that sees them").needed();
  table.numbers("--from", &Mirror::from, "only these VFs");
  table.choice("--direction", &Mirror::direction,
               {{"in", Direction::in}, {"out", Direction::out}, {"both", Direction::both}},
               "what comes in at a VF, goes out of it, or both");
  add_common(table);
  return table;
}

int mirror(Mirror request) {
  request.ingress = request.direction != Direction::out;
  request.egress = request.direction != Direction::in;
  return do_plan(vf::plan_mirror(MachineTree(), request), request);
}

struct Verb {
  std::string_view name, summary;
  int (*run)(const Args& args);
  options::Page (*page)();
};

template <auto table, auto do_it>
constexpr Verb verb(std::string_view name, std::string_view summary) {
  return {name, summary, [](const Args& args) { return with_args(table(), args, do_it); },
          [] { return table().page(); }};
}

constexpr auto verbs = std::to_array<Verb>(
    {verb<show_table, show>("show", "list PFs and VFs, and what a VF will not see"),
     verb<create_table, create>("create", "make VFs"), verb<bind_table, bind>("bind", "give devices to vfio-pci"),
     verb<unbind_table, unbind>("unbind", "give devices back to the kernel"),
     verb<trust_table, trust>("trust", "let a VF be promiscuous; its MAC, VLAN, spoof check"),
     verb<mirror_table, mirror>("mirror", "let a VF see the frames of others"),
     verb<reset_table, reset>("reset", "put back what was changed")});

std::string help_text() {
  std::string text =
      "Virtual functions (SR-IOV): makes, sets and gives them away, and puts everything back.\n"
      "Usage: wirespool vf VERB ...\n\nVerbs:\n";
  for (const auto& verb : verbs) text += fmt::format("  {:<8}{}\n", verb.name, verb.summary);
  return text + "\nAll that change something take --dry-run. wirespool vf VERB --help says more.\n";
}

}  // namespace

std::vector<options::Page> vf_pages() {
  std::vector<options::Page> pages;
  for (const auto& verb : verbs) pages.push_back(verb.page());
  return pages;
}

int cmd_vf(const Args& args) {
  if (args.empty()) return finish({Exit::wrong_use, "", error_line("vf", "no verb", "see wirespool vf --help")});
  if (args.front() == "--help" || args.front() == "-h") return finish({Exit::done, help_text(), ""});
  const auto verb = std::ranges::find(verbs, args.front(), &Verb::name);
  if (verb != verbs.end()) return verb->run({args.begin() + 1, args.end()});
  return finish({Exit::wrong_use, "", error_line("vf " + args.front(), "unknown verb", "see wirespool vf --help")});
}

}  // namespace wirespool::cli
