// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "doctor/doctor.hpp"

namespace wirespool::doctor {
namespace {

const machine::PciDevice* find_device(const machine::Facts& facts, const std::string& address) {
  const auto found = std::ranges::find(facts.devices, address, &machine::PciDevice::address);
  return found == facts.devices.end() ? nullptr : &*found;
}

const machine::InterfaceFacts* find_interface(const machine::Facts& facts, const machine::PciDevice& device) {
  for (const auto& interface : facts.interfaces) {
    if (std::ranges::find(device.interfaces, interface.name) != device.interfaces.end()) return &interface;
  }
  return nullptr;
}

std::string describe(const machine::Facts& facts, const machine::PciDevice& device) {
  auto text = fmt::format("{:04x}:{:04x}, {}, node {}", device.vendor, device.device,
                          device.driver.empty() ? "no driver" : "driver " + device.driver, device.numa_node);
  if (!device.interfaces.empty()) text += fmt::format(", {}", fmt::join(device.interfaces, " "));
  if (device.is_vf()) {
    const auto* parent = find_device(facts, device.physical_function);
    std::string number = "?";
    if (parent != nullptr) {
      const auto at = std::ranges::find(parent->virtual_functions, device.address);
      number = std::to_string(at - parent->virtual_functions.begin());
    }
    text += fmt::format(", VF {} of {}", number, device.physical_function);
  }
  if (device.vfs_possible > 0) {
    text += fmt::format(", {} of {} VFs made", device.virtual_functions.size(), device.vfs_possible);
  }
  if (device.link.known()) text += fmt::format(", PCIe {} GT/s x{}", device.link.gigatransfers, device.link.width);
  return text;
}

void judge_link(const machine::Facts& facts, const machine::PciDevice& device, std::vector<Finding>& findings) {
  if (!device.link.known()) return;
  const auto carries = device.link.gbit_per_s();
  const auto* interface = find_interface(facts, device);
  if (interface != nullptr && interface->mbit_per_s && carries * 1000 < *interface->mbit_per_s) {
    findings.push_back({Level::must_fix, "PCIe slot", device.address,
                        fmt::format("carries {:.1f} Gbit/s, its link {:.0f}", carries, *interface->mbit_per_s / 1000.0),
                        "move the card to a slot with more lanes"});
  } else if (device.link_max.known() && carries < 0.99 * device.link_max.gbit_per_s()) {
    findings.push_back({Level::advice, "PCIe slot", device.address,
                        fmt::format("runs at {} GT/s x{}, could do {} GT/s x{}", device.link.gigatransfers,
                                    device.link.width, device.link_max.gigatransfers, device.link_max.width),
                        "move the card to a slot with more lanes (lspci -vv shows what the slot can do)"});
  }
}

// vfio gives a group to a program only when every device in it is out of the kernel's hands
// (Documentation/driver-api/vfio.rst).
void judge_group(const machine::Facts& facts, const machine::PciDevice& device, std::vector<Finding>& findings) {
  if (device.driver != "vfio-pci" || !device.iommu_group) return;
  for (const auto& other : facts.devices) {
    if (other.iommu_group != device.iommu_group || other.address == device.address || other.is_bridge()) continue;
    if (other.driver.empty() || other.driver == "vfio-pci" || other.driver == "pci-stub") continue;
    findings.push_back(
        {Level::must_fix, "IOMMU group", device.address,
         fmt::format("group {} also holds {}, which {} has", *device.iommu_group, other.address, other.driver),
         fmt::format("wirespool vf bind {}", other.address)});
  }
  const auto access = facts.vfio.group_access.find(*device.iommu_group);
  if (access != facts.vfio.group_access.end() && access->second) return;
  const bool container = !facts.platform.container.empty();
  findings.push_back({facts.process.user == 0 ? Level::must_fix : Level::advice, "IOMMU group", device.address,
                      fmt::format("/dev/vfio/{} is not there for user {}", *device.iommu_group, facts.process.user),
                      container ? fmt::format("--device /dev/vfio/vfio --device /dev/vfio/{}", *device.iommu_group)
                                : fmt::format("chown {} /dev/vfio/{}", facts.process.user, *device.iommu_group)});
}

void judge_parent(const machine::Facts& facts, const machine::PciDevice& device, std::vector<Finding>& findings) {
  const auto* parent = device.is_vf() ? find_device(facts, device.physical_function) : nullptr;
  const auto* interface = parent == nullptr ? nullptr : find_interface(facts, *parent);
  if (interface == nullptr || interface->up) return;
  findings.push_back({Level::advice, "port", device.address,
                      fmt::format("its PF {} ({}) is down, and most VFs follow it", parent->address, interface->name),
                      fmt::format("ip link set {} up", interface->name)});
}

void judge_node(const machine::Facts& facts, const machine::PciDevice& device, std::vector<Finding>& findings) {
  const auto near = [&](const machine::CpuFacts& cpu) { return cpu.allowed && cpu.numa_node == device.numa_node; };
  if (device.numa_node < 0 || facts.processor.cpus.empty() || std::ranges::any_of(facts.processor.cpus, near)) return;
  findings.push_back(
      {Level::advice, "NUMA", device.address,
       fmt::format("no CPU of its node {} may be used: every packet crosses nodes", device.numa_node),
       fmt::format("run the capture on CPUs of node {0} (numactl --cpunodebind={0})", device.numa_node)});
}

// A device whose DPDK driver works beside the kernel's, but finds nothing because of its present driver.
void judge_shared(const machine::PciDevice& device, std::vector<Finding>& findings) {
  const auto shared = machine::shared_driver_for(device);
  if (shared.empty() || shared == device.driver) return;
  findings.push_back({Level::must_fix, "port", device.address,
                      fmt::format("its DPDK driver works beside the kernel's {}, and {} has it", shared, device.driver),
                      fmt::format("wirespool vf unbind {}", device.address)});
}

void judge_package(const machine::Facts& facts, const machine::PciDevice& device, std::vector<Finding>& findings) {
  if (facts.ddp_package || !machine::wants_ddp_package(device)) return;
  findings.push_back({Level::must_fix, "firmware", device.address,
                      "no DDP package /lib/firmware/intel/ice/ddp/ice.pkg: DPDK's driver does not start without",
                      fmt::format("install the package that has it (linux-firmware); or capture with -a "
                                  "{},safe-mode-support=1, without RSS",
                                  device.address)});
}

void judge_token(const machine::Facts& facts, const machine::PciDevice& device, std::vector<Finding>& findings) {
  if (!machine::needs_vf_token(facts.devices, device)) return;
  findings.push_back({Level::advice, "VF token", device.address,
                      fmt::format("vfio-pci has its PF {} as well: it only opens with the token that the PF's program "
                                  "has set",
                                  device.physical_function),
                      "give EAL --vfio-vf-token UUID, the same for both programs"});
}

bool works_with_dpdk(const machine::PciDevice& device) {
  return device.is_network() &&
         (machine::is_user_space_driver(device.driver) || machine::is_shared_driver(device.driver));
}

// A device that is not in use, so that the kernel can give it up; preferably a VF.
const machine::PciDevice* find_spare(const machine::Facts& facts) {
  const machine::PciDevice* spare = nullptr;
  for (const auto& device : facts.devices) {
    const auto* interface = find_interface(facts, device);
    if (!device.is_network() || !machine::shared_driver_for(device).empty() ||
        (interface != nullptr && !interface->in_use.empty()))
      continue;
    if (spare == nullptr || (device.is_vf() && !spare->is_vf())) spare = &device;
  }
  return spare;
}

}  // namespace

std::vector<const machine::PciDevice*> ready_ports(const machine::Facts& facts) {
  std::vector<const machine::PciDevice*> ports;
  for (const auto& device : facts.devices) {
    if (works_with_dpdk(device)) ports.push_back(&device);
  }
  return ports;
}

void judge_ports(const machine::Facts& facts, std::vector<Finding>& findings) {
  for (const auto& device : facts.devices) {
    if (!device.is_network()) continue;
    findings.push_back({Level::ok, "port", device.address, describe(facts, device), ""});
    judge_link(facts, device, findings);
    if (!works_with_dpdk(device)) continue;
    judge_group(facts, device, findings);
    judge_shared(device, findings);
    judge_package(facts, device, findings);
    judge_token(facts, device, findings);
    judge_parent(facts, device, findings);
    judge_node(facts, device, findings);
  }
  if (!ready_ports(facts).empty()) return;
  const auto* spare = find_spare(facts);
  findings.push_back({Level::advice, "port", "",
                      "no network device is with a driver for user space; af_packet and af_xdp work on any interface",
                      spare == nullptr
                          ? "wirespool capture --vdev=net_af_packet0,iface=INTERFACE -- ..."
                          : fmt::format("wirespool vf bind {}   # takes it away from the kernel", spare->address)});
}

void judge_vfio(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto bound = [](const machine::PciDevice& device) { return device.driver == "vfio-pci"; };
  const bool any_bound = std::ranges::any_of(facts.devices, bound);
  if (std::ranges::none_of(facts.devices, &machine::PciDevice::is_network)) return;
  if (facts.vfio.iommu) {
    findings.push_back({Level::ok, "IOMMU", "", "at work", ""});
  } else if (facts.vfio.no_iommu_mode) {
    findings.push_back({Level::advice, "IOMMU", "", "none; vfio runs in its unsafe mode: devices can write anywhere",
                        "kernel command line: intel_iommu=on iommu=pt"});
  } else {
    findings.push_back({any_bound ? Level::must_fix : Level::advice, "IOMMU", "", "none: vfio-pci cannot be used",
                        "kernel command line: intel_iommu=on iommu=pt (AMD: iommu=pt; a guest: a virtual IOMMU), or "
                        "echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"});
  }
  if (facts.vfio.driver_loaded) {
    findings.push_back(
        {Level::ok, "vfio-pci", "", any_bound ? "loaded, devices bound" : "loaded, no device bound", ""});
  } else {
    findings.push_back({Level::advice, "vfio-pci", "", "not loaded", "modprobe vfio-pci"});
  }
}

}  // namespace wirespool::doctor
