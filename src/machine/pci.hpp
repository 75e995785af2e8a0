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

// One device; nullopt if it is not there.
std::optional<PciDevice> read_pci_device(const MachineTree& tree, const std::string& address);

// Whether the driver leaves the device to a program in user space: vfio-pci, uio_pci_generic, igb_uio.
bool is_user_space_driver(const std::string& driver);

// Whether it is a kernel driver beside which a DPDK driver works ("bifurcated"): nothing to bind.
bool is_shared_driver(const std::string& driver);

// The shared driver of a device of this kind, whatever it is bound to now; "" if there is none. Its DPDK driver finds
// nothing once vfio-pci has the device.
std::string shared_driver_for(const PciDevice& device);

// Whether its PCI device number is that of a VF: in a guest no PF can be seen. Only for VFs that have such a number and
// whose driver's name does not say it.
bool is_vf_by_number(const PciDevice& device);

// DPDK's driver of a whole Intel E8xx does not start without a DDP package (ice_ethdev.c, ice_load_pkg; with
// "safe-mode-support=1" it does, without RSS); VFs need none: their PF has loaded it.
bool wants_ddp_package(const PciDevice& device);
// Whether there is one where that driver looks, or a compressed one beside it (rte_firmware_read). Packages for a
// single card's serial number are not looked for.
bool has_ddp_package(const MachineTree& tree);

// Whether the device is a VF, and vfio-pci has both it and its PF: then it can only be opened with the token that the
// PF's user has set (Linux, drivers/vfio/pci/vfio_pci_core.c, vfio_pci_validate_vf_token; EAL's --vfio-vf-token).
bool needs_vf_token(const std::vector<PciDevice>& devices, const PciDevice& device);

}  // namespace wirespool::machine
