// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace wirespool::capture {

// Listens to RTE_ETH_EVENT_INTR_RMV of a port: unplugged, or its VF taken away. Any thread may ask.
void watch_for_removal(std::uint16_t port);
bool was_removed(std::uint16_t port);

}  // namespace wirespool::capture
