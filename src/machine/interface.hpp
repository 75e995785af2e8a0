// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "machine/machine_tree.hpp"
#include "machine/pci.hpp"

namespace wirespool::machine {

// What the kernel uses network interfaces for, below `tree`.

// Whether routes lead through the interface: taking it away from the kernel would cut connections.
bool has_routes(const MachineTree& tree, const std::string& interface);

// Why the interface is in use, as a predicate after its name ("ens1 has an address"): routes, addresses that are not
// link-local, a bond or bridge above it, VLANs and the like on top. "": no use is known.
std::string in_use(const MachineTree& tree, const std::string& interface);

// The device's own interface, through which its VFs are set; "" if it has none. In switchdev mode the representors, the
// interfaces of its VFs, may be listed with it: phys_port_name tells them apart
// (Documentation/networking/representors.rst).
std::string uplink_of(const MachineTree& tree, const PciDevice& device);

}  // namespace wirespool::machine
