// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "machine/machine_tree.hpp"
#include "machine/pci.hpp"

namespace wirespool::machine {

// What the kernel has network interfaces for, below `tree`.

// Routes lead through the interface: taking it away from the kernel cuts somebody off.
bool has_routes(const MachineTree& tree, const std::string& interface);

// Why somebody would miss the interface, as the end of a sentence ("ens1 has an address"): routes, addresses that are
// not link-local, a bond or bridge above it, VLANs and the like on top. "": nobody is known to.
std::string in_use(const MachineTree& tree, const std::string& interface);

// The device's own interface, which its VFs are set through; "" if it has none. In switchdev mode those of its VFs, the
// representors, may lie beside it: phys_port_name tells them apart (Documentation/networking/representors.rst).
std::string uplink_of(const MachineTree& tree, const PciDevice& device);

}  // namespace wirespool::machine
