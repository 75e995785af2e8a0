// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "machine/interface.hpp"
#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

using Kind = VfAction::Kind;

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

// A device that a program has open cannot be taken from it: the kernel would wait for the program to end.
std::expected<void, Error> check_unused(const machine::MachineTree& tree, const machine::PciDevice& device) {
  const auto users = vfio_users(tree, device);
  if (users.empty()) return {};
  return not_ready(device.address, fmt::format("process {} has it open", fmt::join(users, ", ")), "stop that first");
}

std::expected<void, Error> check_not_needed(const machine::MachineTree& tree, const machine::PciDevice& device) {
  for (const auto& interface : device.interfaces) {
    const auto use = machine::in_use(tree, interface);
    if (use.empty()) continue;
    return not_ready(device.address, use + ": whoever uses it would be cut off, you perhaps",
                     "--force does it all the same");
  }
  return {};
}

std::expected<void, Error> check_not_shared(const machine::PciDevice& device, const std::string& driver) {
  const auto shared = machine::shared_driver_for(device);
  if (shared.empty()) return {};
  const auto remedy = device.driver == shared
                          ? std::string("nothing is to be bound: wirespool capture -a ") + device.address
                          : "give it back: wirespool vf unbind " + device.address;
  return not_ready(device.address,
                   fmt::format("DPDK's driver works beside the kernel's {} and finds nothing once {} has the device",
                               shared, driver),
                   remedy + "; --force binds it");
}

std::expected<void, Error> check_can_bind(const machine::MachineTree& tree, const machine::PciDevice& device,
                                          const BindRequest& request) {
  if (auto unused = check_unused(tree, device); !unused) return unused;
  if (!request.force && !request.driver.empty()) {
    if (auto own = check_not_shared(device, request.driver); !own) return own;
    if (auto spare = check_not_needed(tree, device); !spare) return spare;
  }
  const bool no_iommu = tree.line("sys/module/vfio/parameters/enable_unsafe_noiommu_mode").value_or("N") == "Y";
  if (request.driver == "vfio-pci" && !device.iommu_group && !no_iommu) {
    return not_ready(device.address, "no IOMMU group, so vfio-pci will not take it",
                     "intel_iommu=on iommu=pt on the kernel command line, or echo Y > "
                     "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
  }
  return {};
}

// Warns of a package that DPDK's driver will need.
void remark_on_package(const machine::MachineTree& tree, const machine::PciDevice& device, VfPlan& plan) {
  if (!machine::wants_ddp_package(device) || machine::has_ddp_package(tree)) return;
  plan.notices.push_back(fmt::format(
      "{}: no DDP package, /lib/firmware/intel/ice/ddp/ice.pkg, and DPDK's driver does not start without: install the "
      "package of it (linux-firmware has it), or capture with -a {},safe-mode-support=1: no RSS then",
      device.address, device.address));
}

VfStep bind_step(const machine::PciDevice& device, const std::string& driver) {
  VfAction action{.kind = Kind::bind, .about = about(device), .target = device.address, .value = driver};
  auto undo = action;
  // back to the kernel's own choice, or to the driver it had been told to use
  undo.value = device.driver.empty()                          ? "-"
               : machine::is_user_space_driver(device.driver) ? device.driver
                                                              : device.driver_override;
  return {std::move(action), std::move(undo)};
}

// A PF bound to vfio-pci: the kernel refuses to make VFs of it with -ENOENT unless enable_sriov is set
// (vfio_pci_core_sriov_configure).
std::expected<void, Error> check_makes_vfs(const machine::MachineTree& tree, const machine::PciDevice& pf) {
  if (pf.driver != "vfio-pci") return {};
  if (tree.line("sys/module/vfio_pci/parameters/enable_sriov").value_or("N") == "Y") return {};
  return not_ready(
      pf.address, "vfio-pci has it, which makes no VFs unless told to",
      "echo Y > /sys/module/vfio_pci/parameters/enable_sriov, or give it back first: wirespool vf unbind " +
          pf.address);
}

}  // namespace

PlannedVf plan_create(const machine::MachineTree& tree, const CreateRequest& request) {
  const auto pf = find_device(machine::list_pci_devices(tree), request.pf);
  if (!pf) return std::unexpected(pf.error());
  if (pf->vfs_possible == 0) {
    return not_ready(request.pf, "it can have no VFs", "is it a PF, and SR-IOV on in the firmware?");
  }
  if (request.count == 0 || request.count > pf->vfs_possible) {
    return wrong_use(request.pf, fmt::format("{} VFs", request.count),
                     fmt::format("it can have 1 to {}", pf->vfs_possible));
  }
  VfPlan plan;
  const auto there = pf->virtual_functions.size();
  if (there == request.count) return plan;
  if (there != 0) {
    return not_ready(request.pf, fmt::format("it has {} VFs, and a number can only be changed from none", there),
                     "wirespool vf reset " + request.pf);
  }
  if (auto makes = check_makes_vfs(tree, *pf); !makes) return std::unexpected(makes.error());
  if (pf->driver == "vfio-pci") {
    plan.notices.push_back(
        "vfio-pci has the PF: its VFs open only with the token that the PF's program has set: give EAL "
        "--vfio-vf-token UUID, the same for both");
  }
  if (!request.probe) plan.steps.push_back(write_step(*pf, "sriov_drivers_autoprobe", "0", "1"));
  plan.steps.push_back(write_step(*pf, "sriov_numvfs", std::to_string(request.count), "0"));
  const auto interface = machine::uplink_of(tree, *pf);
  if (!interface.empty() && tree.line("sys/class/net/" + interface + "/operstate").value_or("") != "up")
    plan.notices.push_back(fmt::format("{0} is down, and most VFs with it: ip link set {0} up", interface));
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
    if (!request.driver.empty()) remark_on_package(tree, *device, plan);
  }
  return plan;
}

}  // namespace wirespool::vf
