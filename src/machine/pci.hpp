// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine_tree.hpp"

namespace wirespool::machine {

// What a PCI Express link carries; zero where the device does not say (a virtual function, a virtual device).
struct PciLink {
  double gigatransfers = 0;  // per second and lane
  unsigned width = 0;        // lanes

  bool known() const { return gigatransfers > 0 && width > 0; }
  double gbit_per_s() const;  // after line coding (8b/10b to 5 GT/s, 128b/130b from 8 GT/s), before packet headers
  bool operator==(const PciLink&) const = default;
};

// A device as /sys/bus/pci/devices shows it (Documentation/ABI/testing/sysfs-bus-pci).
struct PciDevice {
  std::string address;           // "0000:3b:02.0"
  std::uint32_t class_code = 0;  // 0x020000: Ethernet
  std::uint16_t vendor = 0, device = 0;
  std::string driver;           // bound to, or ""
  std::string driver_override;  // asked for, or ""
  int numa_node = -1;
  std::optional<unsigned> iommu_group;
  PciLink link, link_max;
  std::string physical_function;               // the PF a VF belongs to, or ""
  std::vector<std::string> virtual_functions;  // VF n's address at [n]
  unsigned vfs_possible = 0;                   // sriov_totalvfs
  std::vector<std::string> interfaces;         // its network interfaces, "ens1f0"

  bool is_network() const { return class_code >> 16 == 0x02; }
  bool is_nvme() const { return class_code >> 8 == 0x0108; }
  bool is_bridge() const { return class_code >> 16 == 0x06; }
  bool is_vf() const { return !physical_function.empty(); }
};

std::vector<PciDevice> list_pci_devices(const MachineTree& tree);

// One of them; nullopt if it is not there.
std::optional<PciDevice> read_pci_device(const MachineTree& tree, const std::string& address);

// A driver that leaves the device to a program in user space: vfio-pci, uio_pci_generic, igb_uio.
bool is_user_space_driver(const std::string& driver);

// A kernel driver that a DPDK driver works beside ("bifurcated"): nothing to bind.
bool is_shared_driver(const std::string& driver);

// The shared driver that a device is made for, whoever has it now; "" for others. Its DPDK driver finds nothing once
// vfio-pci has the device.
std::string shared_driver_for(const PciDevice& device);

// Known to be a VF by its vendor's number for it: in a guest no PF is to be seen. Only where VFs have one of their own
// and the driver's name does not say.
bool is_vf_by_number(const PciDevice& device);

// DPDK's driver of an Intel E8xx, taken whole, does not start without a DDP package (ice_ethdev.c, ice_load_pkg;
// "safe-mode-support=1" lets it, without RSS); VFs need none, their PF has loaded it.
bool wants_ddp_package(const PciDevice& device);
// One lies where that driver looks, or compressed beside it (rte_firmware_read). Packages for one card's serial number
// are not looked for.
bool has_ddp_package(const MachineTree& tree);

// The device is a VF, and vfio-pci has it and its PF: it can only be opened with the token that the PF's user has set
// (Linux, drivers/vfio/pci/vfio_pci_core.c, vfio_pci_validate_vf_token; EAL's --vfio-vf-token).
bool needs_vf_token(const std::vector<PciDevice>& devices, const PciDevice& device);

}  // namespace wirespool::machine
