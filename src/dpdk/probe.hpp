// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine/machine_tree.hpp"
#include "plan/capture_plan.hpp"
#include "plan/machine.hpp"

struct rte_eth_dev_info;

namespace wirespool::dpdk {

// The arguments of a virtual device without its name, empty for others.
std::string device_arguments(const rte_eth_dev_info& info);

// Packets that a queue of the device holds whatever its descriptors are; 0: as many as these.
unsigned own_ring(const rte_eth_dev_info& info);

// Of its link now, in millions of bits a second; 0: not known.
unsigned link_mbits(std::uint16_t port);

// What EAL found: its lcores and ports, beside the drives that were looked at before. After Eal::start.
plan::Machine probe(std::vector<plan::MachineDrive> drives);

// Every device that -a or --vdev asked for and that did not come up: EAL starts without it. After Eal::start.
std::vector<Error> missing_devices();

// Why no driver of DPDK took the PCI device `address` ("0000:3b:02.0"), which was asked for as `-a asked`, and what to
// do, as far as the machine below `tree` shows. Needs no EAL (untaken_device.cpp).
Error why_untaken(const machine::MachineTree& tree, const std::string& address, const std::string& asked);

}  // namespace wirespool::dpdk
