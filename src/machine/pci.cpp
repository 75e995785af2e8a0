// SPDX-License-Identifier: BSD-3-Clause
#include "machine/pci.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace wirespool::machine {
namespace {

PciLink read_link(const MachineTree& tree, const std::string& directory, const std::string& which) {
  PciLink link;
  // "8.0 GT/s PCIe", or "Unknown"
  if (const auto speed = tree.line(directory + which + "_link_speed")) {
    link.gigatransfers = std::strtod(speed->c_str(), nullptr);
  }
  // 255 and 0 stand for unknown
  const auto width = tree.number(directory + which + "_link_width").value_or(0);
  link.width = width < 255 ? static_cast<unsigned>(width) : 0;
  return link;
}

std::vector<std::string> read_interfaces(const MachineTree& tree, const std::string& directory) {
  auto interfaces = tree.names(directory + "net");
  for (const auto& child : tree.names(directory)) {
    if (!child.starts_with("virtio")) continue;
    for (auto& name : tree.names(directory + child + "/net")) interfaces.push_back(std::move(name));
  }
  return interfaces;
}

std::vector<std::string> read_virtual_functions(const MachineTree& tree, const std::string& directory) {
  std::vector<std::string> addresses;
  for (unsigned n = 0;; ++n) {
    auto address = tree.link_name(directory + "virtfn" + std::to_string(n));
    if (address.empty()) return addresses;
    addresses.push_back(std::move(address));
  }
}

std::optional<unsigned> read_iommu_group(const MachineTree& tree, const std::string& directory) {
  const auto name = tree.link_name(directory + "iommu_group");
  unsigned group = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), group);
  if (name.empty() || error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return group;
}

PciDevice read_device(const MachineTree& tree, const std::string& address) {
  const auto directory = "sys/bus/pci/devices/" + address + "/";
  PciDevice device;
  device.address = address;
  device.class_code = static_cast<std::uint32_t>(tree.number(directory + "class").value_or(0));
  device.vendor = static_cast<std::uint16_t>(tree.number(directory + "vendor").value_or(0));
  device.device = static_cast<std::uint16_t>(tree.number(directory + "device").value_or(0));
  device.driver = tree.link_name(directory + "driver");
  device.driver_override = tree.line(directory + "driver_override").value_or("");
  if (device.driver_override == "(null)") device.driver_override.clear();
  device.numa_node = static_cast<int>(tree.signed_number(directory + "numa_node").value_or(-1));
  device.iommu_group = read_iommu_group(tree, directory);
  device.link = read_link(tree, directory, "current");
  device.link_max = read_link(tree, directory, "max");
  device.physical_function = tree.link_name(directory + "physfn");
  device.virtual_functions = read_virtual_functions(tree, directory);
  device.vfs_possible = static_cast<unsigned>(tree.number(directory + "sriov_totalvfs").value_or(0));
  if (device.is_network()) device.interfaces = read_interfaces(tree, directory);
  return device;
}

template <std::size_t N>
bool is_one_of(const std::string& name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

double PciLink::gbit_per_s() const {
  const double coding = gigatransfers < 8 ? 8.0 / 10 : 128.0 / 130;
  return gigatransfers * width * coding;
}

std::vector<PciDevice> list_pci_devices(const MachineTree& tree) {
  std::vector<PciDevice> devices;
  for (const auto& address : tree.names("sys/bus/pci/devices")) devices.push_back(read_device(tree, address));
  return devices;
}

std::optional<PciDevice> read_pci_device(const MachineTree& tree, const std::string& address) {
  if (!tree.exists("sys/bus/pci/devices/" + address)) return std::nullopt;
  return read_device(tree, address);
}

bool is_user_space_driver(const std::string& driver) {
  return is_one_of(driver, std::array<std::string_view, 3>{"vfio-pci", "uio_pci_generic", "igb_uio"});
}

bool is_shared_driver(const std::string& driver) {
  return is_one_of(driver, std::array<std::string_view, 3>{"mlx5_core", "mlx4_core", "mana"});
}

namespace {

// PCI devices by their numbers, "ConnectX-5 [VF]" of DPDK's mlx5.h and Microsoft's of mana.h.
constexpr std::uint16_t mellanox = 0x15b3, microsoft = 0x1414, intel = 0x8086;
constexpr std::uint16_t first_mlx5 = 0x1011;  // Connect-IB; ConnectX-3 and older are mlx4's
constexpr std::uint16_t mana_vf = 0x00ba;
constexpr std::array<std::uint16_t, 7> mlx5_vfs = {0x1014, 0x1016, 0x1018, 0x101a, 0x101c, 0x101e, 0xa2d3};

// All that net_ice takes (ice_ethdev.c, pci_id_ice_map of 26.07): E810, E822, E823, E824, E825, E830, E835.
constexpr std::array<std::uint16_t, 50> ice_devices = {
    0x0dbd, 0x0dcd, 0x1248, 0x1249, 0x124a, 0x124c, 0x124d, 0x124e, 0x124f, 0x1261, 0x1262, 0x1263, 0x1265,
    0x1266, 0x1267, 0x12d1, 0x12d2, 0x12d3, 0x12d5, 0x12d8, 0x12da, 0x12dc, 0x12dd, 0x12de, 0x151d, 0x1591,
    0x1592, 0x1593, 0x1599, 0x159a, 0x159b, 0x1888, 0x188a, 0x188b, 0x188c, 0x188d, 0x188e, 0x1890, 0x1891,
    0x1892, 0x1893, 0x1894, 0x1897, 0x1898, 0x1899, 0x189a, 0x579c, 0x579d, 0x579e, 0x579f};

template <std::size_t N>
bool is_one_of(std::uint16_t id, const std::array<std::uint16_t, N>& ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

std::string shared_driver_for(const PciDevice& device) {
  if (is_shared_driver(device.driver)) return device.driver;
  if (!device.is_network()) return "";
  if (device.vendor == mellanox) return device.device >= first_mlx5 ? "mlx5_core" : "mlx4_core";
  return device.vendor == microsoft && device.device == mana_vf ? "mana" : "";
}

bool is_vf_by_number(const PciDevice& device) {
  return device.vendor == mellanox && is_one_of(device.device, mlx5_vfs);
}

bool wants_ddp_package(const PciDevice& device) {
  return !device.is_vf() && device.vendor == intel && is_one_of(device.device, ice_devices);
}

bool has_ddp_package(const MachineTree& tree) {
  for (const std::string directory : {"lib/firmware/updates/intel/ice/ddp/", "lib/firmware/intel/ice/ddp/"})
    for (const auto& name : tree.names(directory))
      if (name == "ice.pkg" || name.starts_with("ice.pkg.")) return true;
  return false;
}

bool needs_vf_token(const std::vector<PciDevice>& devices, const PciDevice& device) {
  const auto parent = std::find_if(devices.begin(), devices.end(), [&](const PciDevice& other) {
    return device.is_vf() && other.address == device.physical_function;
  });
  return device.driver == "vfio-pci" && parent != devices.end() && parent->driver == "vfio-pci";
}

}  // namespace wirespool::machine
