// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/port_events.hpp"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <array>
#include <atomic>

namespace wirespool::dpdk {
namespace {

enum Bit : unsigned { removed = 1, reset = 2, recovering = 4, recovered = 8, recovery_failed = 16 };

struct Event {
  rte_eth_event_type type;
  Bit bit;
};

constexpr auto events = std::to_array<Event>({{RTE_ETH_EVENT_INTR_RMV, removed},
                                              {RTE_ETH_EVENT_INTR_RESET, reset},
                                              {RTE_ETH_EVENT_ERR_RECOVERING, recovering},
                                              {RTE_ETH_EVENT_RECOVERY_SUCCESS, recovered},
                                              {RTE_ETH_EVENT_RECOVERY_FAILED, recovery_failed}});

std::array<std::atomic<unsigned>, RTE_MAX_ETHPORTS> noted;

int note(std::uint16_t port, rte_eth_event_type type, void*, void*) {
  for (const auto& event : events)
    if (event.type == type) noted[port].fetch_or(event.bit, std::memory_order_relaxed);
  return 0;
}

void note_bus(const char*, rte_dev_event_type type, void* port) {
  if (type == RTE_DEV_EVENT_REMOVE) static_cast<std::atomic<unsigned>*>(port)->fetch_or(removed);
}

}  // namespace

void listen_to_port(std::uint16_t port, const std::string& device) {
  for (const auto& event : events) (void)rte_eth_dev_callback_register(port, event.type, note, nullptr);
  (void)rte_dev_event_callback_register(device.c_str(), note_bus, &noted[port]);
}

PortNews take_news(std::uint16_t port) {
  const unsigned bits = noted[port].exchange(0, std::memory_order_relaxed);
  return {.removed = (bits & removed) != 0,
          .wants_reset = (bits & reset) != 0,
          .recovering = (bits & recovering) != 0,
          .recovered = (bits & recovered) != 0,
          .recovery_failed = (bits & recovery_failed) != 0};
}

}  // namespace wirespool::dpdk
