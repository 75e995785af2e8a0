// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "machine/interface.hpp"
#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

using Kind = VfAction::Kind;
using Done = std::expected<void, Error>;

constexpr const char* true_promiscuous = "vf-true-promisc-support";

// The VF to be set, and the PF through whose interface it is set.
struct Pair {
  machine::PciDevice vf, pf;
  unsigned number = 0;
  Parent parent;
};

std::expected<Pair, Error> find_pair(const machine::MachineTree& tree, const TrustRequest& request,
                                     const std::vector<PrivateFlag>& flags) {
  const auto devices = machine::list_pci_devices(tree);
  const auto vf = find_device(devices, request.vf);
  if (!vf) return std::unexpected(vf.error());
  if (!vf->is_vf()) return wrong_use(vf->address, "not a VF", "'wirespool vf show' lists them");
  const auto pf = std::ranges::find(devices, vf->physical_function, &machine::PciDevice::address);
  auto parent = pf == devices.end() ? Parent{} : describe_parent(tree, devices, *pf);
  if (parent.interface.empty()) {
    return not_ready(
        vf->address,
        fmt::format("its PF {} has no network interface here, so its VFs cannot be set", vf->physical_function),
        "wirespool vf unbind " + vf->physical_function);
  }
  parent.flags = flags;
  const auto at = std::ranges::find(pf->virtual_functions, vf->address) - pf->virtual_functions.begin();
  return Pair{*vf, *pf, static_cast<unsigned>(at), std::move(parent)};
}

// A PF resets a VF whose trust, MAC or VLAN it changes (i40e_virtchnl_pf.c, i40e_ndo_set_vf_trust, _mac, _port_vlan:
// i40e_vc_reset_vf): a program that receives on it gets nothing more until it sets the VF up again.
bool resets(const TrustRequest& request) { return request.trust || request.mac || request.vlan; }

Done check_unused(const machine::MachineTree& tree, const Pair& pair, const TrustRequest& request) {
  if (!resets(request) || request.force) return {};
  constexpr const char* why = "and its PF resets it for this";
  if (const auto users = vfio_users(tree, pair.vf); !users.empty()) {
    return not_ready(pair.vf.address, fmt::format("process {} has it open, {}", fmt::join(users, ", "), why),
                     "stop that first; --force does it all the same");
  }
  for (const auto& interface : pair.vf.interfaces)
    if (const auto use = machine::in_use(tree, interface); !use.empty())
      return not_ready(pair.vf.address, fmt::format("{}, {}", use, why),
                       "end that first; --force does it all the same");
  return {};
}

void add_setting(VfPlan& plan, const Pair& pair, const char* name, const std::string& value, const std::string& was) {
  if (value == was) return;
  VfAction action{.kind = Kind::set_vf,
                  .about = pair.pf.address,
                  .target = pair.parent.interface,
                  .name = name,
                  .value = value,
                  .number = pair.number};
  auto undo = action;
  undo.value = was;
  plan.steps.push_back({std::move(action), std::move(undo)});
}

const char* on_off(bool on) { return on ? "on" : "off"; }

// Adds a step for a switch that the driver may not have (nullopt).
Done add_switch(VfPlan& plan, const Pair& pair, const char* name, const std::optional<bool>& wanted,
                const std::optional<bool>& is) {
  if (!wanted) return {};
  if (!is) {
    return not_ready(fmt::format("{} vf {}", pair.parent.interface, pair.number),
                     fmt::format("driver {} has no setting '{}'", pair.pf.driver, name),
                     "capture on the PF itself, or mirror on the switch");
  }
  add_setting(plan, pair, name, on_off(*wanted), on_off(*is));
  return {};
}

// ice does not change its flag while a VF is promiscuous (ice_ethtool.c, ice_set_priv_flags: EAGAIN). A program that
// has one open may have made it promiscuous.
std::string refuses_flag(const machine::MachineTree& tree, const Pair& pair) {
  if (pair.pf.driver != "ice") return "";
  for (const auto& device : machine::list_pci_devices(tree)) {
    if (device.physical_function != pair.pf.address) continue;
    if (const auto users = vfio_users(tree, device); !users.empty())
      return fmt::format("process {} has VF {} open", fmt::join(users, ", "), device.address);
  }
  return "";
}

// Unless this flag is on, i40e and ice give even a trusted VF in promiscuous mode less than all frames (Intel's README
// of the i40e driver, "Trusted VFs and VF Promiscuous Mode").
void add_true_promiscuous(const machine::MachineTree& tree, VfPlan& plan, const Pair& pair) {
  const auto& flags = pair.parent.flags;
  const auto flag = std::ranges::find(flags, true_promiscuous, &PrivateFlag::name);
  if (flag == flags.end() || flag->on) return;
  if (const auto why = refuses_flag(tree, pair); !why.empty()) {
    plan.notices.push_back(
        fmt::format("{} of {} stays off, as ice does not turn it while a VF is promiscuous, and {}: stop that and give "
                    "this command "
                    "again",
                    true_promiscuous, pair.parent.flag_interface, why));
    return;
  }
  VfAction action{.kind = Kind::set_flag,
                  .about = pair.pf.address,
                  .target = pair.parent.flag_interface,
                  .name = flag->name,
                  .value = "on"};
  auto undo = action;
  undo.value = "off";
  plan.steps.push_back({std::move(action), std::move(undo)});
  plan.notices.push_back(fmt::format("{} holds for all trusted VFs of {}", true_promiscuous,
                                     pair.pf.driver == "i40e" ? "the card" : pair.parent.interface));
}

// What is wrong with a value, before anything is done.
Done check_values(const TrustRequest& request) {
  std::vector<std::pair<const char*, std::string>> values;
  if (request.mac) values.emplace_back("mac", *request.mac);
  if (request.vlan) values.emplace_back("vlan", std::to_string(*request.vlan));
  if (request.link_state) values.emplace_back("state", *request.link_state);
  for (const auto& [name, value] : values) {
    const auto message = vf_request(1, 0, name, value);
    if (!message) return wrong_use(request.vf, message.error());
  }
  return {};
}

Done add_settings(VfPlan& plan, const Pair& pair, const TrustRequest& request, const VfLink& link) {
  if (request.mac) add_setting(plan, pair, "mac", *request.mac, link.mac);
  if (request.vlan) add_setting(plan, pair, "vlan", std::to_string(*request.vlan), std::to_string(link.vlan));
  if (request.link_state) add_setting(plan, pair, "state", *request.link_state, link.link_state);
  if (auto added = add_switch(plan, pair, "spoofchk", request.spoof_check, link.spoof_check); !added) return added;
  return add_switch(plan, pair, "trust", request.trust, link.trusted);
}

// Notes what the user should know if trust is to be on.
void remark_on_trust(VfPlan& plan, const Pair& pair, VfLink link, const TrustRequest& request) {
  if (request.trust.value_or(false)) {
    link.trusted = true;
    auto parent = pair.parent;
    const auto turned_on = [](PrivateFlag& flag) { flag.on = flag.on || flag.name == true_promiscuous; };
    std::ranges::for_each(parent.flags, turned_on);  // or reported already
    auto remark = promiscuous_remark(parent, link.number, link);
    if (!remark.empty()) plan.notices.push_back(std::move(remark));
  }
  if (request.mac && !pair.vf.driver.empty())
    plan.notices.push_back("most drivers take the new MAC when they are bound again");
}

}  // namespace

PlannedVf plan_trust(const machine::MachineTree& tree, const TrustRequest& request, const std::vector<VfLink>& links,
                     const std::vector<PrivateFlag>& flags) {
  if (auto good = check_values(request); !good) return std::unexpected(good.error());
  const auto pair = find_pair(tree, request, flags);
  if (!pair) return std::unexpected(pair.error());
  const auto link = std::ranges::find(links, pair->number, &VfLink::number);
  if (link == links.end()) {
    return not_ready(request.vf, fmt::format("{} says nothing of its VF {}", pair->parent.interface, pair->number),
                     fmt::format("is its driver {} loaded with SR-IOV?", pair->pf.driver));
  }
  VfPlan plan;
  // First: if it is refused, nothing is half done.
  if (request.trust.value_or(false)) add_true_promiscuous(tree, plan, *pair);
  const auto before = plan.steps.size();
  if (auto added = add_settings(plan, *pair, request, *link); !added) return std::unexpected(added.error());
  if (plan.steps.size() > before) {
    if (auto unused = check_unused(tree, *pair, request); !unused) return std::unexpected(unused.error());
    if (resets(request)) plan.notices.push_back(fmt::format("{}: its PF resets it for this", pair->vf.address));
  }
  remark_on_trust(plan, *pair, *link, request);
  return plan;
}

}  // namespace wirespool::vf
