// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "machine/interface.hpp"
#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

using Kind = VfAction::Kind;

std::vector<unsigned> sources(const machine::PciDevice& pf, const MirrorRequest& request) {
  if (!request.from.empty()) return request.from;
  std::vector<unsigned> all;
  for (unsigned number = 0; number < pf.virtual_functions.size(); ++number) {
    if (number != request.to) all.push_back(number);
  }
  return all;
}

// Intel's own i40e driver has mirror files per VF and for the PF (its README, "SR-IOV Hypervisor Management
// Interface"): "add 7" copies to VF 7.
VfPlan by_files(const machine::PciDevice& pf, const MirrorRequest& request) {
  VfPlan plan;
  const auto directory = "sys/bus/pci/devices/" + pf.address + "/sriov/";
  const auto add = [&](const std::string& source, const char* file) {
    VfAction action{.kind = Kind::write_file,
                    .about = pf.address,
                    .target = directory + source + file,
                    .value = fmt::format("add {}", request.to)};
    auto undo = action;
    undo.value = fmt::format("rem {}", request.to);
    plan.steps.push_back({std::move(action), std::move(undo)});
  };
  std::vector<std::string> from;
  if (request.from.empty()) from.push_back("");
  for (const auto number : sources(pf, request)) from.push_back(std::to_string(number) + "/");
  for (const auto& source : from) {
    if (request.ingress) add(source, "ingress_mirror");
    if (request.egress) add(source, "egress_mirror");
  }
  return plan;
}

// Versions of that driver from before these files have mirror rules in debugfs, for the PF's whole switch.
PlannedVf by_debugfs(const machine::PciDevice& pf, const MirrorRequest& request) {
  if (!request.from.empty()) {
    return wrong_use("--from", "this version of i40e mirrors all VFs or none", "leave --from out");
  }
  VfPlan plan;
  const auto add = [&](const char* direction) {
    VfAction action{
        .kind = Kind::i40e_mirror, .about = pf.address, .target = pf.address, .name = direction, .number = request.to};
    plan.steps.push_back({action, action});  // the rule's id is filled in when it is known
  };
  if (request.ingress) add("ingress");
  if (request.egress) add("egress");
  plan.notices.push_back("the VF has to be stopped and started again to see mirrored frames");
  // i40e_vc_reset_vf gives the VF a new VSI, which may have another seid.
  plan.notices.push_back("set its trust, MAC and VLAN before: its PF resets it for that, and the rule may be gone");
  return plan;
}

struct Representor {
  std::string interface;
  std::string port;  // "pf0vf2", "p0"
};

// Interfaces of the PF's switch in switchdev mode (Documentation/networking/representors.rst): they share its
// phys_switch_id, and phys_port_name says whose they are.
std::vector<Representor> representors(const machine::MachineTree& tree, const std::string& uplink) {
  std::vector<Representor> found;
  if (uplink.empty()) return found;
  const auto id_of = [&](const std::string& name) {
    return tree.line("sys/class/net/" + name + "/phys_switch_id").value_or("");
  };
  const auto id = id_of(uplink);
  if (id.empty()) return found;
  for (const auto& name : tree.names("sys/class/net")) {
    if (id_of(name) == id) found.push_back({name, tree.line("sys/class/net/" + name + "/phys_port_name").value_or("")});
  }
  return found;
}

// "pf0vf2", or "c1pf0vf2" where the PF is another host's (include/net/devlink.h, devlink_port_attrs_pci_vf_set).
bool is_of_vf(const std::string& port, unsigned number) {
  const auto controller = port.starts_with("c") ? port.find_first_not_of("0123456789", 1) : 0;
  if (controller == std::string::npos || !port.substr(controller).starts_with("pf")) return false;
  const auto end_of_pf = port.find_first_not_of("0123456789", controller + 2);
  return end_of_pf != std::string::npos && port.substr(end_of_pf) == fmt::format("vf{}", number);
}

// If there are two, this host's own.
const Representor* representor_of(const std::vector<Representor>& all, unsigned number) {
  const Representor* found = nullptr;
  for (const auto& one : all)
    if (is_of_vf(one.port, number) && (found == nullptr || one.port.starts_with("pf"))) found = &one;
  return found;
}

// What a VF sends arrives at its representor. tc-mirred(8) copies it; hardware that can offload the rule does.
void add_tc(VfPlan& plan, const machine::PciDevice& pf, const std::string& from, const std::string& to) {
  const std::vector<std::string> qdisc = {"tc", "qdisc", "add", "dev", from, "clsact"};
  const std::vector<std::string> no_qdisc = {"tc", "qdisc", "del", "dev", from, "clsact"};
  const std::vector<std::string> filter = {"tc",      "filter", "add",    "dev",      from,
                                           "ingress", "pref",   "49000",  "matchall", "action",
                                           "mirred",  "egress", "mirror", "dev",      to};
  const std::vector<std::string> no_filter = {"tc", "filter", "del", "dev", from, "ingress", "pref", "49000"};
  plan.steps.push_back({{.kind = Kind::run, .about = pf.address, .command = qdisc, .may_fail = true},
                        VfAction{.kind = Kind::run, .about = pf.address, .command = no_qdisc}});
  plan.steps.push_back({{.kind = Kind::run, .about = pf.address, .command = filter},
                        VfAction{.kind = Kind::run, .about = pf.address, .command = no_filter}});
}

PlannedVf by_tc(const machine::PciDevice& pf, const std::string& uplink, const MirrorRequest& request,
                const std::vector<Representor>& all) {
  const auto* to = representor_of(all, request.to);
  if (to == nullptr)
    return not_ready(fmt::format("VF {} of {}", request.to, pf.address), "no representor",
                     "is it made, and the PF in switchdev mode?");
  VfPlan plan;
  for (const auto number : sources(pf, request)) {
    const auto* from = representor_of(all, number);
    if (from == nullptr) return not_ready(fmt::format("VF {} of {}", number, pf.address), "no representor");
    add_tc(plan, pf, from->interface, to->interface);
  }
  if (request.from.empty()) add_tc(plan, pf, uplink, to->interface);
  plan.notices.push_back(
      "frames that other hardware rules take past the representors are not mirrored (tc -s filter shows)");
  return plan;
}

PlannedVf no_mirroring(const machine::PciDevice& pf) {
  return not_ready(pf.address,
                   fmt::format("driver {} offers no mirroring (Intel's own i40e driver and switchdev PFs do)",
                               pf.driver.empty() ? "none" : pf.driver),
                   "wirespool vf trust VF on shows what comes from the wire; else mirror on the switch in front of it, "
                   "or capture on "
                   "the PF itself (wirespool vf bind " +
                       pf.address + ")");
}

// A driver from the kernel's own sources has no version, or one that ends in -k.
bool is_intels_own(const machine::MachineTree& tree) {
  const auto version = tree.line("sys/module/i40e/version").value_or("-k");
  return !version.ends_with("-k");
}

}  // namespace

PlannedVf plan_mirror(const machine::MachineTree& tree, const MirrorRequest& request) {
  const auto pf = find_device(machine::list_pci_devices(tree), request.pf);
  if (!pf) return std::unexpected(pf.error());
  const auto count = pf->virtual_functions.size();
  auto named = request.from;
  named.push_back(request.to);
  for (const auto number : named) {
    if (number < count) continue;
    return wrong_use(fmt::format("VF {}", number), fmt::format("{} has {} VFs, counted from 0", request.pf, count));
  }
  if (std::ranges::find(request.from, request.to) != request.from.end() || (!request.ingress && !request.egress)) {
    return wrong_use(fmt::format("VF {}", request.to), "cannot be mirrored to itself, nor in no direction");
  }
  if (tree.exists("sys/bus/pci/devices/" + pf->address + "/sriov/ingress_mirror")) {
    auto plan = by_files(*pf, request);
    if (request.ingress && request.egress)
      plan.notices.push_back("a frame from one mirrored VF to another is seen twice");
    return plan;
  }
  if (is_intels_own(tree) && tree.exists("sys/kernel/debug/i40e/" + pf->address + "/command"))
    return by_debugfs(*pf, request);
  const auto uplink = machine::uplink_of(tree, *pf);
  const auto switch_ports = representors(tree, uplink);
  return switch_ports.empty() ? no_mirroring(*pf) : by_tc(*pf, uplink, request, switch_ports);
}

}  // namespace wirespool::vf
