// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "support/random.hpp"
#include "support/trace.hpp"

namespace wirespool::test {

// Few addresses, ports and VLANs, so that filters match some packets; many kinds of frames, some of them malformed.
Trace random_traffic(Random& random, std::size_t packets);

// A pcap-filter(7) expression over the same addresses, ports and VLANs; most of them are valid.
std::string random_filter(Random& random, unsigned depth = 3);

}  // namespace wirespool::test
