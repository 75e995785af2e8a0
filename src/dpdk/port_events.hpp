// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

namespace wirespool::dpdk {

// The events of a device's driver, or its bus, since take_news() was last called.
struct PortNews {
  bool removed = false;      // INTR_RMV, or the bus's REMOVE: vfio wants the device back, or it is gone already
  bool wants_reset = false;  // INTR_RESET: a PF has reset its VF, which receives nothing until it is reset here as well
  bool recovering = false;   // ERR_RECOVERING: the driver resets the device itself; it must not be touched
  bool recovered = false;    // RECOVERY_SUCCESS
  bool recovery_failed = false;  // RECOVERY_FAILED
};

// Begins to listen; `device` is its bus's name for it. Control thread, once a port.
void listen_to_port(std::uint16_t port, const std::string& device);

// Takes the news. Events come on DPDK's interrupt thread, where a device must not be touched: they are only noted.
PortNews take_news(std::uint16_t port);

}  // namespace wirespool::dpdk
