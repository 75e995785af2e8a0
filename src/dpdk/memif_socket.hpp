// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "plan/eal_args.hpp"
#include "wirespool/error.hpp"

namespace wirespool::dpdk {

// Why net_memif could not make the socket of a server (memif.rst in DPDK's guide to NICs), and what to do; nullopt: the
// device is none, or the socket is not why. Connects to the socket and leaves at once: nothing else tells one that is
// served from one that a killed program left. Needs no EAL.
std::optional<Error> memif_problem(const plan::DeviceArgs& device);

}  // namespace wirespool::dpdk
