// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_ethdev.h>

#include <functional>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::dpdk {

// The configuration requested of a device.
struct PortSettings {
  rte_eth_conf conf{};
  unsigned rx_queues = 1, tx_queues = 0;
  bool sends = false;  // TX queues are not given up
};

PortSettings wanted_settings(const plan::PlannedPort& planned, const rte_eth_dev_info& info);

// Finds how much of `wanted` a device accepts: `try_out` configures it and returns ethdev's error. What it refuses is
// given up, in this order and only if it was the cause: RX queues by halves, the hash key, stamps, scatter, the MTU,
// the TX queue, RSS last, because without it everything arrives at one lcore. `without` names each; `usable` is false
// if even giving up everything does not help.
struct Granted {
  PortSettings settings;
  std::vector<std::string> without;
  int error = 0;  // the first refusal; settings are of no use if nothing helped
  bool usable = true;
};
Granted negotiate(const PortSettings& wanted, const std::function<int(const PortSettings&)>& try_out);

// ethdev's error in words: drivers return -1 for any failure, which then does not mean EPERM.
std::string say_error(int error);

}  // namespace wirespool::dpdk
