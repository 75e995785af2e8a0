// SPDX-License-Identifier: BSD-3-Clause
#include "capture/removal.hpp"

#include <rte_ethdev.h>

#include <array>
#include <atomic>

namespace wirespool::capture {
namespace {

std::array<std::atomic<bool>, RTE_MAX_ETHPORTS> removed;

int note_removal(std::uint16_t port, rte_eth_event_type, void*, void*) {
  removed[port].store(true, std::memory_order_relaxed);
  return 0;
}

}  // namespace

void watch_for_removal(std::uint16_t port) {
  (void)rte_eth_dev_callback_register(port, RTE_ETH_EVENT_INTR_RMV, note_removal, nullptr);
}

bool was_removed(std::uint16_t port) { return removed[port].load(std::memory_order_relaxed); }

}  // namespace wirespool::capture
