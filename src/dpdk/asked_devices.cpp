// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/asked_devices.hpp"

#include <fmt/format.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "dpdk/net_interface.hpp"
#include "machine/pci.hpp"
#include "plan/device_args.hpp"

namespace wirespool::dpdk {
namespace {

// A PCI address with its domain, as buses name their devices.
std::string full_name(std::string_view name) {
  const bool short_address = name.size() == 7 && name[2] == ':' && name[5] == '.';
  std::string full = (short_address ? "0000:" : "") + std::string(name);
  std::ranges::transform(full, full.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return full;
}

bool is_a_port(const std::string& name) {
  for (auto port = rte_eth_find_next(0); port < RTE_MAX_ETHPORTS;
       port = rte_eth_find_next(static_cast<std::uint16_t>(port + 1))) {
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(static_cast<std::uint16_t>(port), &info) == 0 && info.device &&
        full_name(rte_dev_name(info.device)) == name)
      return true;
  }
  return false;
}

// A driver has it, though it may be no port (a crypto device, a representor's parent).
bool has_driver(const std::string& bus, const std::string& name) {
  rte_dev_iterator iterator;
  rte_device* device = nullptr;
  const auto all = "bus=" + bus;
  bool found = false;
  RTE_DEV_FOREACH(device, all.c_str(), &iterator)
  found = found || (full_name(rte_dev_name(device)) == name && rte_dev_is_probed(device));
  return found;
}

// Of a virtual device: the first of its arguments that names something which is not there.
std::optional<std::string> missing_argument(const plan::DeviceArgs& device) {
  for (const auto* key : {"rx_pcap"})
    for (const auto& path : device.all(key))
      if (::access(path.c_str(), R_OK) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  for (const auto* key : {"iface", "rx_iface", "remote"})
    for (const auto& name : device.all(key))
      if (name.find('/') == std::string::npos && !NetInterface::by_name(name))
        return fmt::format("there is no network interface {} in this network namespace", name);
  return std::nullopt;
}

Error missing_virtual(const rte_devargs& asked) {
  const auto arguments = fmt::format("{},{}", asked.name, asked.args ? asked.args : "");
  const auto why = missing_argument(plan::parse_device_args(arguments));
  return {fmt::format("--vdev {}", asked.name), why.value_or("its driver did not start it"),
          why ? "correct it, or leave the device out" : "see its driver's messages above, or leave the device out",
          Error::Kind::not_ready};
}

Error missing_pci(const std::string& name, const std::string& asked) {
  const auto option = "-a " + asked;
  const machine::MachineTree tree;
  const auto device = machine::read_pci_device(tree, name);
  if (!device)
    return {option, "there is no such PCI device", "lspci -D lists addresses; --no-pci for none at all",
            Error::Kind::not_ready};
  const auto shared = machine::shared_driver_for(*device);
  if (!shared.empty() && shared != device->driver)
    return {option, fmt::format("its DPDK driver works beside the kernel's {}, which does not have it", shared),
            "give it back: wirespool vf unbind " + name, Error::Kind::not_ready};
  if (device->driver.empty())
    return {option, "no kernel driver has it", "bind it to vfio-pci: wirespool vf bind " + name,
            Error::Kind::not_ready};
  if (machine::needs_vf_token(machine::list_pci_devices(tree), *device))
    return {option, "no driver of DPDK took it: vfio-pci has its PF too, so it opens with the PF's token only",
            "give EAL --vfio-vf-token UUID, the one of the program that has the PF", Error::Kind::not_ready};
  if (machine::wants_ddp_package(*device) && !machine::has_ddp_package(tree))
    return {option, "no driver of DPDK took it: there is no DDP package /lib/firmware/intel/ice/ddp/ice.pkg",
            fmt::format("install it (linux-firmware), or give -a {},safe-mode-support=1, without RSS then", asked),
            Error::Kind::not_ready};
  if (machine::is_user_space_driver(device->driver))
    return {option, "no driver of DPDK took it", "see their messages above", Error::Kind::not_ready};
  if (shared == device->driver)
    return {option, fmt::format("the kernel's {} has it, as it should be, and no driver of DPDK took it", shared),
            "see their messages above", Error::Kind::not_ready};
  return {option, fmt::format("the kernel's {} has it, and no driver of DPDK took it", device->driver),
          "bind it to vfio-pci: wirespool vf bind " + name, Error::Kind::not_ready};
}

}  // namespace

std::vector<Error> missing_devices() {
  std::vector<Error> missing;
  rte_devargs* asked = nullptr;
  RTE_EAL_DEVARGS_FOREACH(nullptr, asked) {
    if (asked->policy != RTE_DEV_ALLOWED || asked->name[0] == '\0') continue;
    const std::string bus = rte_bus_name(asked->bus), name = full_name(asked->name);
    if (is_a_port(name) || has_driver(bus, name)) continue;
    missing.push_back(bus == "vdev"  ? missing_virtual(*asked)
                      : bus == "pci" ? missing_pci(name, asked->name)
                                     : Error{fmt::format("-a {}", asked->name), "no driver of DPDK took it",
                                             "see their messages above, or leave it out", Error::Kind::not_ready});
  }
  return missing;
}

}  // namespace wirespool::dpdk
