// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <limits>
#include <optional>
#include <string_view>

#include "wirespool/error.hpp"
#include "wirespool/filter.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::serve {

// What a query asks for: packets of that time that match.
struct StenographerQuery {
  Timestamp from{0};
  Timestamp to{std::numeric_limits<std::uint64_t>::max()};  // not included; not later than `from`: no packet at all
  std::optional<Filter> filter = std::nullopt;              // none: all of that time
};

// The query language of stenographer (https://github.com/google/stenographer, README.md, "Query Language"):
//
//   host ADDRESS · net ADDRESS/BITS · net ADDRESS mask MASK · port N · ip proto N · tcp · udp · icmp
//   before TIME · after TIME      RFC 3339, or "45m ago", "3h ago" (by `now`); a packet of just that time is after it
//   and && or ||                  of equal precedence, from left to right; parentheses
//
// Terms mean what those of pcap-filter(7) do: a port is of TCP, UDP or SCTP, `ip proto` and `icmp` are of IPv4. Bits of
// a net's address beyond its mask do not count. The Error says where it stopped to be a query.
std::expected<StenographerQuery, Error> stenographer_query(std::string_view text, Timestamp now);

}  // namespace wirespool::serve
