// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wirespool::format {

enum class Layer : std::uint8_t { l2, l3, l4 };

// Where the headers of an Ethernet frame end, up to a layer, in bytes from its begin, tunnels included; layers.hpp has
// where those of the outermost lie.
//
//   l2  Ethernet, VLAN tags (802.1Q, 802.1ad), PPPoE, MPLS labels, Ethernet in MPLS
//   l3  and IPv4 with options, IPv6 with extension headers, AH, ARP; the innermost of tunnels
//   l4  and TCP with options, UDP, UDP-Lite, SCTP, DCCP, ICMP, ICMPv6, IGMP, ESP, GRE; the innermost of tunnels
//
// Tunnels that are looked into: GRE (RFC 2784, 2890), IP in IP, MPLS in IP, VXLAN (RFC 7348; UDP port 4789, 8472),
// Geneve (RFC 8926; 6081), GTP-U (3GPP TS 29.281; 2152). Where there is no such layer, or what should be its header
// cannot be one, the last header that is known ends them; a header that the frame's end cuts ends there. Reads nothing
// outside `frame`, whatever is in it, and at most 32 headers.
std::uint32_t header_end(std::span<const std::byte> frame, Layer layer) noexcept;

// How much of each frame --slice keeps: its headers up to a layer, or so many bytes.
struct Slice {
  std::optional<Layer> layer;
  std::uint32_t bytes = 0;

  bool operator==(const Slice&) const = default;
};

// "l2", "l3", "l4" or a number of bytes; nullopt: it is none of them.
std::optional<Slice> slice_of(std::string_view text);
std::string text_of(const Slice& slice);  // the same text again

}  // namespace wirespool::format
