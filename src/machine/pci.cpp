// SPDX-License-Identifier: BSD-3-Clause
#include "machine/pci.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>

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

bool is_user_space_driver(const std::string& driver) {
  return is_one_of(driver, std::array<std::string_view, 3>{"vfio-pci", "uio_pci_generic", "igb_uio"});
}

bool is_shared_driver(const std::string& driver) {
  return is_one_of(driver, std::array<std::string_view, 3>{"mlx5_core", "mlx4_core", "mana"});
}

bool has_routes(const MachineTree& tree, const std::string& interface) {
  std::istringstream routes(tree.text("proc/net/route").value_or(""));
  for (std::string line; std::getline(routes, line);) {
    if (line.starts_with(interface + "\t")) return true;
  }
  // Destination, prefix length, ..., interface; every interface has its link-local fe80::/64 and multicast ff00::/8.
  std::istringstream routes6(tree.text("proc/net/ipv6_route").value_or(""));
  for (std::string line; std::getline(routes6, line);) {
    if (!line.ends_with(" " + interface) || line.starts_with("fe80") || line.starts_with("ff")) continue;
    return true;
  }
  return false;
}

}  // namespace wirespool::machine
