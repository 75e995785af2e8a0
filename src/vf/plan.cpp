// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

using Kind = VfAction::Kind;

std::unexpected<VfProblem> not_ready(std::string message) {
  return std::unexpected(VfProblem{std::move(message), VfProblem::Kind::not_ready});
}
std::unexpected<VfProblem> wrong(std::string message) {
  return std::unexpected(VfProblem{std::move(message), VfProblem::Kind::wrong_use});
}

std::string directory_of(const machine::PciDevice& device) { return "sys/bus/pci/devices/" + device.address + "/"; }

const std::string& about(const machine::PciDevice& device) {
  return device.is_vf() ? device.physical_function : device.address;
}

VfStep write_step(const machine::PciDevice& device, const std::string& file, const std::string& value,
                  const std::string& was) {
  VfAction action{
      .kind = Kind::write_file, .about = about(device), .target = directory_of(device) + file, .value = value};
  auto undo = action;
  undo.value = was;
  return {std::move(action), std::move(undo)};
}

// A device that a program has open cannot be taken from it: the kernel would wait until the program ends.
std::expected<void, VfProblem> check_unused(const machine::MachineTree& tree, const machine::PciDevice& device) {
  const auto users = vfio_users(tree, device);
  if (users.empty()) return {};
  return not_ready(fmt::format("{}: process {} has it open: stop that first", device.address, fmt::join(users, ", ")));
}

std::expected<void, VfProblem> check_not_needed(const machine::MachineTree& tree, const machine::PciDevice& device) {
  for (const auto& interface : device.interfaces) {
    if (!machine::has_routes(tree, interface)) continue;
    return not_ready(
        fmt::format("{}: routes lead through {}, so the machine may become unreachable: --force does it all "
                    "the same",
                    device.address, interface));
  }
  return {};
}

std::expected<void, VfProblem> check_can_bind(const machine::MachineTree& tree, const machine::PciDevice& device,
                                              const BindRequest& request) {
  if (auto unused = check_unused(tree, device); !unused) return unused;
  if (!request.force && !request.driver.empty()) {
    if (auto spare = check_not_needed(tree, device); !spare) return spare;
  }
  const bool no_iommu = tree.line("sys/module/vfio/parameters/enable_unsafe_noiommu_mode").value_or("N") == "Y";
  if (request.driver == "vfio-pci" && !device.iommu_group && !no_iommu) {
    return not_ready(
        fmt::format("{}: no IOMMU group, so vfio-pci will not take it: intel_iommu=on iommu=pt on the kernel "
                    "command line, or echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
                    device.address));
  }
  return {};
}

VfStep bind_step(const machine::PciDevice& device, const std::string& driver) {
  VfAction action{.kind = Kind::bind, .about = about(device), .target = device.address, .value = driver};
  auto undo = action;
  // back to what the kernel chose by itself, or to what it was told to choose
  undo.value = device.driver.empty()                          ? "-"
               : machine::is_user_space_driver(device.driver) ? device.driver
                                                              : device.driver_override;
  return {std::move(action), std::move(undo)};
}

// The PF of `vf` and its interface, through which its VFs are set.
struct Parent {
  machine::PciDevice device;
  std::string interface;
};

std::expected<Parent, VfProblem> parent_of(const machine::MachineTree& tree, const machine::PciDevice& vf) {
  if (!vf.is_vf()) return wrong(vf.address + ": not a VF: 'wirespool vf show' lists them");
  for (auto& device : machine::list_pci_devices(tree)) {
    if (device.address != vf.physical_function) continue;
    if (device.interfaces.empty()) break;
    return Parent{device, device.interfaces.front()};
  }
  return not_ready(
      fmt::format("{}: its PF {} has no network interface here, so its VFs cannot be set: wirespool vf unbind {}",
                  vf.address, vf.physical_function, vf.physical_function));
}

void add_setting(VfPlan& plan, const Parent& parent, unsigned number, const char* name, const std::string& value,
                 const std::string& was) {
  if (value == was) return;
  VfAction action{.kind = Kind::set_vf,
                  .about = parent.device.address,
                  .target = parent.interface,
                  .name = name,
                  .value = value,
                  .number = number};
  auto undo = action;
  undo.value = was;
  plan.steps.push_back({std::move(action), std::move(undo)});
}

const char* on_off(bool on) { return on ? "on" : "off"; }

// A switch the driver may not have (nullopt).
std::expected<void, VfProblem> add_switch(VfPlan& plan, const Parent& parent, const VfLink& link, const char* name,
                                          const std::optional<bool>& wanted, const std::optional<bool>& is) {
  if (!wanted) return {};
  if (!is) {
    return not_ready(
        fmt::format("{} vf {}: driver {} has no setting '{}': capture on the PF itself, or mirror on the switch",
                    parent.interface, link.number, parent.device.driver, name));
  }
  add_setting(plan, parent, link.number, name, on_off(*wanted), on_off(*is));
  return {};
}

// i40e and ice give even a trusted VF that asks for promiscuous mode only its own frames unless this flag is on
// (Intel's README of the i40e driver, "Trusted VFs and VF Promiscuous Mode").
void add_true_promiscuous(VfPlan& plan, const Parent& parent, const std::vector<PrivateFlag>& flags) {
  const auto flag = std::ranges::find(flags, "vf-true-promisc-support", &PrivateFlag::name);
  if (flag == flags.end() || flag->on) return;
  VfAction action{.kind = Kind::set_flag,
                  .about = parent.device.address,
                  .target = parent.interface,
                  .name = flag->name,
                  .value = "on"};
  auto undo = action;
  undo.value = "off";
  plan.steps.push_back({std::move(action), std::move(undo)});
  plan.notices.push_back("vf-true-promisc-support holds for all trusted VFs of " + parent.interface);
}

// What is wrong with a value, before anything is done.
std::expected<void, VfProblem> check_values(const TrustRequest& request) {
  std::vector<std::pair<const char*, std::string>> values;
  if (request.mac) values.emplace_back("mac", *request.mac);
  if (request.vlan) values.emplace_back("vlan", std::to_string(*request.vlan));
  if (request.link_state) values.emplace_back("state", *request.link_state);
  for (const auto& [name, value] : values) {
    const auto message = vf_request(1, 0, name, value);
    if (!message) return wrong(fmt::format("{}: {}", request.vf, message.error()));
  }
  return {};
}

}  // namespace

PlannedVf plan_create(const machine::MachineTree& tree, const CreateRequest& request) {
  const auto pf = find_device(machine::list_pci_devices(tree), request.pf);
  if (!pf) return std::unexpected(pf.error());
  if (pf->vfs_possible == 0) {
    return not_ready(fmt::format("{}: it can have no VFs: is it a PF, and SR-IOV on in the firmware?", request.pf));
  }
  if (request.count == 0 || request.count > pf->vfs_possible) {
    return wrong(fmt::format("{}: {} VFs: it can have 1 to {}", request.pf, request.count, pf->vfs_possible));
  }
  VfPlan plan;
  const auto there = pf->virtual_functions.size();
  if (there == request.count) return plan;
  if (there != 0) {
    return not_ready(fmt::format("{}: it has {} VFs, and a number can only be changed from none: wirespool vf reset {}",
                                 request.pf, there, request.pf));
  }
  if (!request.probe) plan.steps.push_back(write_step(*pf, "sriov_drivers_autoprobe", "0", "1"));
  plan.steps.push_back(write_step(*pf, "sriov_numvfs", std::to_string(request.count), "0"));
  for (const auto& interface : pf->interfaces) {
    if (tree.line("sys/class/net/" + interface + "/operstate").value_or("") == "up") continue;
    plan.notices.push_back(fmt::format("{0} is down, and most VFs with it: ip link set {0} up", interface));
  }
  return plan;
}

PlannedVf plan_bind(const machine::MachineTree& tree, const BindRequest& request) {
  VfPlan plan;
  const auto devices = machine::list_pci_devices(tree);
  for (const auto& name : request.devices) {
    const auto device = find_device(devices, name);
    if (!device) return std::unexpected(device.error());
    const bool is_so = request.driver.empty()
                           ? device->driver_override.empty() && !machine::is_user_space_driver(device->driver)
                           : device->driver == request.driver;
    if (is_so) continue;
    if (auto can = check_can_bind(tree, *device, request); !can) return std::unexpected(can.error());
    if (plan.steps.empty() && !request.driver.empty() && !tree.exists("sys/bus/pci/drivers/" + request.driver)) {
      plan.steps.push_back(
          {{.kind = Kind::run, .about = about(*device), .command = {"modprobe", request.driver}}, std::nullopt});
    }
    plan.steps.push_back(bind_step(*device, request.driver));
  }
  return plan;
}

PlannedVf plan_trust(const machine::MachineTree& tree, const TrustRequest& request, const std::vector<VfLink>& links,
                     const std::vector<PrivateFlag>& flags) {
  if (auto good = check_values(request); !good) return std::unexpected(good.error());
  const auto vf = find_device(machine::list_pci_devices(tree), request.vf);
  if (!vf) return std::unexpected(vf.error());
  const auto parent = parent_of(tree, *vf);
  if (!parent) return std::unexpected(parent.error());
  const auto at =
      std::ranges::find(parent->device.virtual_functions, vf->address) - parent->device.virtual_functions.begin();
  const auto link = std::ranges::find(links, static_cast<unsigned>(at), &VfLink::number);
  if (link == links.end()) {
    return not_ready(fmt::format("{}: {} says nothing of its VF {}: is its driver {} loaded with SR-IOV?", request.vf,
                                 parent->interface, at, parent->device.driver));
  }
  VfPlan plan;
  if (request.mac) add_setting(plan, *parent, link->number, "mac", *request.mac, link->mac);
  if (request.vlan)
    add_setting(plan, *parent, link->number, "vlan", std::to_string(*request.vlan), std::to_string(link->vlan));
  if (request.link_state) add_setting(plan, *parent, link->number, "state", *request.link_state, link->link_state);
  if (auto added = add_switch(plan, *parent, *link, "spoofchk", request.spoof_check, link->spoof_check); !added)
    return std::unexpected(added.error());
  if (auto added = add_switch(plan, *parent, *link, "trust", request.trust, link->trusted); !added)
    return std::unexpected(added.error());
  if (request.trust.value_or(false)) {
    add_true_promiscuous(plan, *parent, flags);
    auto trusted = *link;
    trusted.trusted = true;
    auto remark = promiscuous_remark(parent->device.driver, parent->interface, link->number, trusted, {});
    if (!remark.empty()) plan.notices.push_back(std::move(remark));
  }
  if (request.mac && !vf->driver.empty())
    plan.notices.push_back("most drivers take the new MAC when they are bound again");
  return plan;
}

}  // namespace wirespool::vf
