// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

#include "format/layers.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// Why a record ended: RFC 5102, section 5.11.3 (flowEndReason).
enum class FlowEnd : std::uint8_t { idle = 1, active = 2, fin = 3, stop = 4, full = 5 };

// What is known of a flow, or of a stretch of it. In each pair the first is for the source of the first packet seen and
// what it sent, the second for the other end.
struct FlowRecord {
  Timestamp first, last;
  std::array<std::array<std::byte, 16>, 2> addresses{};  // of IPv4 the first four bytes
  std::array<std::uint16_t, 2> ports{};                  // of ICMP as Community ID has them, see icmp_ports()
  std::array<std::uint16_t, 2> vlan{Layers::no_vlan, Layers::no_vlan};
  std::array<std::uint64_t, 2> packets{}, bytes{};  // bytes of IP
  std::array<std::uint8_t, 2> tcp_flags{};          // of all packets together
  std::uint8_t version = 4, protocol = 0;
  bool has_ports = false;  // fragments and other protocols have none
  bool one_way = false;    // an ICMP message of a type without a reply
  FlowEnd end = FlowEnd::stop;
  std::uint16_t port = 0;  // that received the first packet

  bool operator==(const FlowRecord&) const = default;
};

// ICMP and ICMPv6 have types instead of ports. A request has its own type as source port and that of its reply as
// destination port, so that both are one flow; a message without a reply has type and code.
struct IcmpPorts {
  std::uint16_t source = 0, destination = 0;
  bool one_way = false;
};
IcmpPorts icmp_ports(std::uint8_t protocol, std::uint8_t type, std::uint8_t code) noexcept;

}  // namespace wirespool::format
