// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Numbers by which one header names the next: the EtherTypes of IEEE 802 and the protocol numbers of IP, as IANA lists
// both.

#include <algorithm>
#include <array>
#include <cstdint>

namespace wirespool::format {

namespace ether_types {
inline constexpr std::uint16_t ipv4 = 0x0800, arp = 0x0806, rarp = 0x8035, ipv6 = 0x86dd, mpls = 0x8847,
                               mpls_multicast = 0x8848, pppoe = 0x8864,
                               bridging = 0x6558;  // Ethernet in a tunnel
}
namespace ppp_types {
inline constexpr std::uint16_t ipv4 = 0x0021, ipv6 = 0x0057;
}
namespace protocols {
inline constexpr std::uint8_t icmp = 1, igmp = 2, ip_in_ip = 4, tcp = 6, udp = 17, dccp = 33, ipv6_in_ip = 41,
                              fragment = 44, gre = 47, encrypted = 50, authentication = 51, icmp6 = 58, sctp = 132,
                              udp_lite = 136, mpls_in_ip = 137;
}
namespace udp_ports {
inline constexpr std::uint16_t gtp_u = 2152, vxlan = 4789, geneve = 6081, old_vxlan = 8472;
}

// The TPIDs that libpcap's `vlan` takes: 802.1Q, 802.1ad and the older 0x9100.
constexpr bool is_tag(std::uint16_t type) noexcept { return type == 0x8100 || type == 0x88a8 || type == 0x9100; }

// Whether the header begins with a source and a destination port.
constexpr bool has_ports(std::uint8_t protocol) noexcept {
  return protocol == protocols::tcp || protocol == protocols::udp || protocol == protocols::sctp;
}

// Extension headers of IPv6 (RFC 8200, section 4, and IANA's list) that begin with the next header's number and their
// own length: hop-by-hop options, routing, destination options, mobility, HIP, shim6.
inline constexpr std::array<std::uint8_t, 6> sized_extensions{0, 43, 60, 135, 139, 140};

constexpr bool is_extension(std::uint8_t next) noexcept {
  return next == protocols::fragment || next == protocols::authentication ||
         std::ranges::find(sized_extensions, next) != sized_extensions.end();
}

// How long an extension header is, by its second byte: in units of 8 bytes, minus one (RFC 6564); for an authentication
// header in units of 4 bytes, minus two (RFC 4302); a fragment header's length is fixed.
constexpr unsigned extension_bytes(std::uint8_t extension, unsigned length) noexcept {
  if (extension == protocols::fragment) return 8;
  return extension == protocols::authentication ? 4 * (length + 2) : 8 * (length + 1);
}

}  // namespace wirespool::format
