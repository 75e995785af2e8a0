// SPDX-License-Identifier: BSD-3-Clause
#include "format/flow_record.hpp"

#include <algorithm>
#include <utility>

#include "format/protocols.hpp"

namespace wirespool::format {
namespace {

using Pair = std::pair<std::uint8_t, std::uint8_t>;

// Types that ask and answer, as https://github.com/corelight/community-id-spec pairs them: RFC 792, 950 and 1256; RFC
// 4443, 4861, 2710, 4620 and 6275.
constexpr std::array<Pair, 5> icmp_pairs{Pair{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
constexpr std::array<Pair, 6> icmp6_pairs{Pair{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};

template <std::size_t N>
IcmpPorts ports_in(const std::array<Pair, N>& pairs, std::uint8_t type, std::uint8_t code) noexcept {
  for (const auto& [asks, answers] : pairs) {
    if (type == asks) return {asks, answers, false};
    if (type == answers) return {answers, asks, false};
  }
  return {type, code, true};
}

}  // namespace

IcmpPorts icmp_ports(std::uint8_t protocol, std::uint8_t type, std::uint8_t code) noexcept {
  return protocol == protocols::icmp ? ports_in(icmp_pairs, type, code) : ports_in(icmp6_pairs, type, code);
}

}  // namespace wirespool::format
