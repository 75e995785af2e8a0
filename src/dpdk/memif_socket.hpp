// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "plan/eal_args.hpp"
#include "wirespool/error.hpp"

namespace wirespool::dpdk {

// Why net_memif cannot make the socket of a server (memif.rst in DPDK's guide to NICs), and what to do; nullopt: the
// device is none, or nothing is in its way. Does not connect: a server of DPDK 22.11 ends in a panic when a client
// leaves before it said who it is. Needs no EAL.
std::optional<Error> memif_problem(const plan::DeviceArgs& device);

}  // namespace wirespool::dpdk
