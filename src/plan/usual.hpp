// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::plan {

// What is taken where neither the user nor the device has a say. --help shows them.
inline constexpr unsigned usual_rx_desc = 1024;      // of a port that is fed from a file
inline constexpr unsigned least_nic_rx_desc = 2048;  // of others
// Packets of a Handoff. Where a full one loses packets it bridges a writer's pause: 8192 packets are 1.3 ms of a 40
// Gbit/s backbone mix. Where the source waits, a short one keeps the packets in the CPU's caches, which is worth half
// the rate at 1514 bytes.
inline constexpr unsigned dropping_handoff = 8192;
inline constexpr unsigned waiting_handoff = 1024;

}  // namespace wirespool::plan
