// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace wirespool::plan {

// The hash functions a capture asks for, masked by what the device offers: addresses, and ports where there are any, so
// that a flow stays on one queue. The numbers are those of RTE_ETH_RSS_* in rte_ethdev.h, which are part of DPDK's ABI;
// capture/ asserts that they agree.
inline constexpr std::uint64_t rss_ip = 1ull << 2 | 1ull << 3 | 1ull << 7     // IPv4, its fragments, other protocols
                                        | 1ull << 8 | 1ull << 9 | 1ull << 13  // IPv6, its fragments, other protocols
                                        | 1ull << 15;                         // IPv6 with extension headers
inline constexpr std::uint64_t rss_tcp = 1ull << 4 | 1ull << 10 | 1ull << 16;
inline constexpr std::uint64_t rss_udp = 1ull << 5 | 1ull << 11 | 1ull << 17;
inline constexpr std::uint64_t rss_sctp = 1ull << 6 | 1ull << 12;
inline constexpr std::uint64_t rss_wanted = rss_ip | rss_tcp | rss_udp | rss_sctp;

}  // namespace wirespool::plan
