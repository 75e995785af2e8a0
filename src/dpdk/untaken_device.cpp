// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/probe.hpp"

#include <fmt/format.h>

#include "machine/pci.hpp"

namespace wirespool::dpdk {

Error why_untaken(const machine::MachineTree& tree, const std::string& address, const std::string& asked) {
  const auto option = "-a " + asked;
  const auto device = machine::read_pci_device(tree, address);
  if (!device)
    return {option, "there is no such PCI device", "lspci -D lists addresses; --no-pci for none at all",
            Error::Kind::not_ready};
  const auto shared = machine::shared_driver_for(*device);
  if (!shared.empty() && shared != device->driver)
    return {option, fmt::format("its DPDK driver works beside the kernel's {}, which does not have it", shared),
            "give it back: wirespool vf unbind " + address, Error::Kind::not_ready};
  if (device->driver.empty())
    return {option, "no kernel driver has it", "bind it to vfio-pci: wirespool vf bind " + address,
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
          "bind it to vfio-pci: wirespool vf bind " + address, Error::Kind::not_ready};
}

}  // namespace wirespool::dpdk
