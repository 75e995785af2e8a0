// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What encloses what in a packet, for readers of files: of any link type, and step by step into tunnels. layers.hpp is
// for the data path, and stops at the outermost IP packet; flow_key.hpp finds fields where libpcap's filters do,
// whether the headers make sense or not.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "format/flow_condition.hpp"
#include "format/flow_key.hpp"

namespace wirespool::format {

// A network header in a packet, as offsets into its bytes.
struct NetworkLayer {
  std::size_t link = 0;          // where the nearest Ethernet header in front of it begins
  std::size_t link_end = 0;      // where that header ends, VLAN tags included; equal to `link`: there is none
  std::size_t network = 0;       // where the network header begins: after link_end, if tunnels lie between
  std::uint16_t ether_type = 0;  // of the network header

  bool has_ethernet() const { return link_end > link; }
};

// Whether outer_layer() knows this LINKTYPE_ of tcpdump.org: Ethernet, raw IP, Linux cooked (both), BSD loopback.
bool has_network_layer(std::uint32_t linktype) noexcept;

// The first one of a packet, after any number of VLAN tags. nullopt: the packet ends before it.
std::optional<NetworkLayer> outer_layer(std::span<const std::byte> packet, std::uint32_t linktype) noexcept;

// What the packet at `outer` carries: in GRE (version 0, RFC 2784 and 2890), VXLAN (RFC 7348; UDP ports 4789 and 8472),
// Geneve (RFC 8926), GTP-U version 1 (3GPP TS 29.281), MPLS (RFC 3032, and Ethernet after a control word, RFC 4448),
// PPPoE sessions (RFC 2516), IP in IP (RFC 2003, RFC 2473). nullopt: nothing known. Only the first of several fragments
// tells.
std::optional<NetworkLayer> inner_layer(std::span<const std::byte> packet, const NetworkLayer& outer) noexcept;

// What a Block must have among its keys for any of its packets to have an inner_layer().
FlowCondition may_have_inner_layer();

// The two ends that an IP packet names.
struct FlowEnds {
  std::array<Ipv6Address, 2> addresses{};  // from, to; of IPv4 in the low half
  std::array<std::uint16_t, 2> ports{};    // of TCP, UDP, SCTP; of ICMP its type and code
  std::uint8_t protocol = 0;               // after the extension headers of IPv6
  bool is_ipv6 = false;
  bool has_ports = false;  // they are in the packet: not in later fragments, nor in other protocols

  bool operator==(const FlowEnds&) const = default;
};

// nullopt: no IP packet, or its headers are not whole.
std::optional<FlowEnds> flow_ends(std::span<const std::byte> packet, const NetworkLayer& layer) noexcept;

// What a Block must have for any of its packets to have flow_ends() with these addresses and ports, either way round.
FlowCondition may_have_ends(const FlowEnds& ends);

}  // namespace wirespool::format
