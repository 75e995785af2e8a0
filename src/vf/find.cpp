// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cctype>
#include <charconv>

#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

// "ens1f0:2" -> "ens1f0" and 2. A PCI address has colons too, but no PF's name in front of the last one.
std::optional<std::pair<std::string, unsigned>> split_number(const std::string& name) {
  const auto colon = name.rfind(':');
  if (colon == std::string::npos || name.find('.', colon) != std::string::npos) return std::nullopt;
  unsigned number = 0;
  const auto* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + colon + 1, end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return std::pair{name.substr(0, colon), number};
}

const machine::PciDevice* find_plain(const std::vector<machine::PciDevice>& devices, const std::string& name) {
  const auto found = std::ranges::find_if(devices, [&](const machine::PciDevice& device) {
    return device.address == name || device.address == "0000:" + name ||
           std::ranges::find(device.interfaces, name) != device.interfaces.end();
  });
  return found == devices.end() ? nullptr : &*found;
}

bool is_number(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// What programs open to use the device: its group, or with iommufd the device's own file.
std::vector<std::string> vfio_files(const machine::MachineTree& tree, const machine::PciDevice& device) {
  std::vector<std::string> files;
  if (device.iommu_group) {
    const auto number = std::to_string(*device.iommu_group);
    files = {"/dev/vfio/" + number, "/dev/vfio/noiommu-" + number};
  }
  for (const auto& name : tree.names("sys/bus/pci/devices/" + device.address + "/vfio-dev"))
    files.push_back("/dev/vfio/devices/" + name);
  return files;
}

}  // namespace

std::expected<machine::PciDevice, Error> find_device(const std::vector<machine::PciDevice>& devices,
                                                     const std::string& name) {
  if (const auto* device = find_plain(devices, name)) return *device;
  const auto parts = split_number(name);
  const auto* parent = parts ? find_plain(devices, parts->first) : nullptr;
  if (parent == nullptr) {
    return wrong_use(name, "no such device",
                     "give a PCI address, an interface, or INTERFACE:NUMBER ('wirespool vf show' lists them)");
  }
  if (parts->second >= parent->virtual_functions.size()) {
    return wrong_use(name, "it has " + std::to_string(parent->virtual_functions.size()) + " VFs, counted from 0",
                     "wirespool vf create " + parts->first + " N makes some");
  }
  if (const auto* device = find_plain(devices, parent->virtual_functions[parts->second])) return *device;
  return wrong_use(name, "the VF is not on the bus", "see dmesg");
}

std::vector<unsigned> vfio_users(const machine::MachineTree& tree, const machine::PciDevice& device) {
  std::vector<unsigned> users;
  if (device.driver != "vfio-pci") return users;
  const auto files = vfio_files(tree, device);
  for (const auto& process : tree.names("proc")) {
    if (!is_number(process)) continue;
    const auto directory = "proc/" + process + "/fd/";
    const auto has_it_open = [&](const std::string& descriptor) {
      return std::ranges::find(files, tree.link_target(directory + descriptor)) != files.end();
    };
    if (std::ranges::any_of(tree.names(directory), has_it_open))
      users.push_back(static_cast<unsigned>(std::stoul(process)));
  }
  return users;
}

}  // namespace wirespool::vf
