// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/random.hpp"
#include "support/trace.hpp"

namespace wirespool::test {

struct TunnelTraffic {
  unsigned tunnelled_of_100 = 50;  // packets with at least one tunnel around them
  bool tidy = false;               // nothing cut, fragmented or flipped, and only what tshark's dissectors are sure of
};

// Packets of TCP, UDP, SCTP and ICMP between few addresses and ports, behind VLAN tags, in up to three of VXLAN, GRE,
// Geneve, GTP-U, MPLS, PPPoE and IP in IP; now and then cut, fragmented or with a bit flipped.
Trace random_tunnels(Random& random, std::size_t packets, const TunnelTraffic& traffic = {});

}  // namespace wirespool::test
