// SPDX-License-Identifier: BSD-3-Clause
#include "format/tunnels.hpp"

#include <algorithm>
#include <utility>

#include "format/bytes.hpp"
#include "format/protocols.hpp"

namespace wirespool::format {
namespace {

using Bytes = std::span<const std::byte>;

constexpr unsigned most_extensions = 16;

bool fits(Bytes packet, std::size_t offset, std::size_t bytes) noexcept {
  return offset <= packet.size() && bytes <= packet.size() - offset;
}
unsigned octet(Bytes packet, std::size_t offset) noexcept { return static_cast<unsigned>(packet[offset]); }
std::uint32_t load_be32(Bytes packet, std::size_t offset) noexcept {
  return swap_bytes(load<std::uint32_t>(packet, offset));
}
std::uint64_t load_be64(Bytes packet, std::size_t offset) noexcept {
  return swap_bytes(load<std::uint64_t>(packet, offset));
}

// A link header begins at `link`; `type` is that of what is at `network`. A tag there is its TCI and the next type.
std::optional<NetworkLayer> behind_tags(Bytes packet, std::size_t link, std::size_t network,
                                        std::uint16_t type) noexcept {
  for (; is_tag(type); network += tag_bytes) {
    if (!fits(packet, network, tag_bytes)) return std::nullopt;
    type = load_be16(packet, network + 2);
  }
  return NetworkLayer{link, network, network, type};
}

std::optional<NetworkLayer> ethernet_at(Bytes packet, std::size_t link) noexcept {
  if (!fits(packet, link, tag_offset + 2)) return std::nullopt;
  return behind_tags(packet, link, link + tag_offset + 2, load_be16(packet, link + tag_offset));
}

// Without an Ethernet header.
NetworkLayer bare(std::size_t network, std::uint16_t type) noexcept { return {network, network, network, type}; }

std::optional<std::uint16_t> type_of_ip(Bytes packet, std::size_t network) noexcept {
  if (!fits(packet, network, 1)) return std::nullopt;
  const auto version = octet(packet, network) >> 4;
  if (version == 4) return ether_types::ipv4;
  if (version == 6) return ether_types::ipv6;
  return std::nullopt;
}

std::optional<NetworkLayer> bare_ip(Bytes packet, std::size_t network) noexcept {
  const auto type = type_of_ip(packet, network);
  return type ? std::optional(bare(network, *type)) : std::nullopt;
}

// Linux cooked headers: the protocol is an EtherType, and what lies after them may have tags.
std::optional<NetworkLayer> cooked(Bytes packet, std::size_t type_at, std::size_t header_bytes) noexcept {
  if (!fits(packet, 0, header_bytes)) return std::nullopt;
  const auto layer = behind_tags(packet, 0, header_bytes, load_be16(packet, type_at));
  return layer ? std::optional(bare(layer->network, layer->ether_type)) : std::nullopt;
}

enum Linktype : std::uint32_t {
  linktype_null = 0,
  linktype_ethernet = 1,
  linktype_raw_bsd = 12,  // DLT_RAW, which got into some files
  linktype_raw_openbsd = 14,
  linktype_raw = 101,
  linktype_loop = 108,
  linktype_linux_sll = 113,
  linktype_ipv4 = 228,
  linktype_ipv6 = 229,
  linktype_linux_sll2 = 276,
};

struct Ip {
  std::uint8_t protocol = 0;
  std::size_t payload = 0;
  bool whole_front = true;  // no later fragment
};

// RFC 791; an authentication header (RFC 4302) is skipped.
std::optional<Ip> ipv4_at(Bytes packet, std::size_t at) noexcept {
  if (!fits(packet, at, 20) || octet(packet, at) >> 4 != 4) return std::nullopt;
  const auto header_bytes = 4 * (octet(packet, at) & 0xf);
  if (header_bytes < 20 || !fits(packet, at, header_bytes)) return std::nullopt;
  Ip ip{static_cast<std::uint8_t>(packet[at + 9]), at + header_bytes, (load_be16(packet, at + 6) & 0x1fff) == 0};
  if (ip.protocol == protocols::authentication && ip.whole_front && fits(packet, ip.payload, 12)) {
    ip.protocol = static_cast<std::uint8_t>(packet[ip.payload]);
    ip.payload += extension_bytes(protocols::authentication, octet(packet, ip.payload + 1));
  }
  return ip;
}

// RFC 8200.
std::optional<Ip> ipv6_at(Bytes packet, std::size_t at) noexcept {
  if (!fits(packet, at, 40) || octet(packet, at) >> 4 != 6) return std::nullopt;
  Ip ip{static_cast<std::uint8_t>(packet[at + 6]), at + 40, true};
  for (unsigned i = 0; i < most_extensions && ip.whole_front; ++i) {
    const auto extension = ip.protocol;
    if (!is_extension(extension)) break;
    if (!fits(packet, ip.payload, 8)) return std::nullopt;
    if (extension == protocols::fragment) ip.whole_front = (load_be16(packet, ip.payload + 2) & 0xfff8) == 0;
    ip.protocol = static_cast<std::uint8_t>(packet[ip.payload]);
    ip.payload += extension_bytes(extension, octet(packet, ip.payload + 1));
  }
  return ip;
}

std::optional<Ip> ip_at(Bytes packet, const NetworkLayer& layer) noexcept {
  if (layer.ether_type == ether_types::ipv4) return ipv4_at(packet, layer.network);
  if (layer.ether_type == ether_types::ipv6) return ipv6_at(packet, layer.network);
  return std::nullopt;
}

// A network header at `at`, after headers of a tunnel in `outer`.
std::optional<NetworkLayer> carried(Bytes packet, const NetworkLayer& outer, std::size_t at,
                                    std::uint16_t type) noexcept {
  if (!fits(packet, at, 1)) return std::nullopt;
  return outer.has_ethernet() ? NetworkLayer{outer.link, outer.link_end, at, type} : bare(at, type);
}

std::optional<NetworkLayer> carried_ip(Bytes packet, const NetworkLayer& outer, std::size_t at) noexcept {
  const auto type = type_of_ip(packet, at);
  return type ? carried(packet, outer, at, *type) : std::nullopt;
}

// The same for a tunnel whose header has an EtherType.
std::optional<NetworkLayer> carried_type(Bytes packet, const NetworkLayer& outer, std::size_t at,
                                         std::uint16_t type) noexcept {
  if (type == ether_types::bridging) return ethernet_at(packet, at);
  const bool known = type == ether_types::ipv4 || type == ether_types::ipv6 || type == ether_types::mpls ||
                     type == ether_types::mpls_multicast;
  return known ? carried(packet, outer, at, type) : std::nullopt;
}

std::optional<NetworkLayer> inside_gre(Bytes packet, const NetworkLayer& outer, std::size_t at) noexcept {
  constexpr unsigned checksum = 0x8000, routing = 0x4000, key = 0x2000, sequence = 0x1000, version = 7;
  if (!fits(packet, at, 4)) return std::nullopt;
  const auto flags = load_be16(packet, at);
  if ((flags & (routing | version)) != 0) return std::nullopt;
  std::size_t header_bytes = 4;
  for (const auto flag : {checksum, key, sequence}) header_bytes += (flags & flag) != 0 ? 4 : 0;
  return carried_type(packet, outer, at + header_bytes, load_be16(packet, at + 2));
}

std::optional<NetworkLayer> inside_vxlan(Bytes packet, std::size_t at) noexcept {
  constexpr unsigned has_network_id = 0x08;
  if (!fits(packet, at, 8) || (octet(packet, at) & has_network_id) == 0) return std::nullopt;
  return ethernet_at(packet, at + 8);
}

std::optional<NetworkLayer> inside_geneve(Bytes packet, const NetworkLayer& outer, std::size_t at) noexcept {
  if (!fits(packet, at, 8) || octet(packet, at) >> 6 != 0) return std::nullopt;
  const auto options = 4 * (octet(packet, at) & 0x3f);
  return carried_type(packet, outer, at + 8 + options, load_be16(packet, at + 2));
}

// 3GPP TS 29.281, 5.1 and 5.2.1: a G-PDU carries a user's IP packet.
std::optional<NetworkLayer> inside_gtp_u(Bytes packet, const NetworkLayer& outer, std::size_t at) noexcept {
  constexpr unsigned version_1_of_gtp = 0x30, has_extension = 4, has_more = 7, g_pdu = 255;
  if (!fits(packet, at, 8) || (octet(packet, at) & 0xf0) != version_1_of_gtp || octet(packet, at + 1) != g_pdu)
    return std::nullopt;
  const auto flags = octet(packet, at);
  if ((flags & has_more) == 0) return carried_ip(packet, outer, at + 8);
  if (!fits(packet, at, 12)) return std::nullopt;
  auto next = (flags & has_extension) != 0 ? octet(packet, at + 11) : 0;
  for (at += 12; next != 0;) {
    if (!fits(packet, at, 1)) return std::nullopt;
    const std::size_t bytes = 4 * octet(packet, at);
    if (bytes == 0 || !fits(packet, at, bytes)) return std::nullopt;
    next = octet(packet, at + bytes - 1);
    at += bytes;
  }
  return carried_ip(packet, outer, at);
}

std::optional<NetworkLayer> inside_udp(Bytes packet, const NetworkLayer& outer, std::size_t at) noexcept {
  if (!fits(packet, at, 8)) return std::nullopt;
  const auto from = load_be16(packet, at), to = load_be16(packet, at + 2);
  if (to == udp_ports::vxlan || to == udp_ports::old_vxlan) return inside_vxlan(packet, at + 8);
  if (to == udp_ports::geneve) return inside_geneve(packet, outer, at + 8);
  if (to == udp_ports::gtp_u || from == udp_ports::gtp_u) return inside_gtp_u(packet, outer, at + 8);
  return std::nullopt;
}

std::optional<NetworkLayer> inside_ip(Bytes packet, const NetworkLayer& outer) noexcept {
  const auto ip = ip_at(packet, outer);
  if (!ip || !ip->whole_front) return std::nullopt;
  switch (ip->protocol) {
    case protocols::gre:
      return inside_gre(packet, outer, ip->payload);
    case protocols::udp:
      return inside_udp(packet, outer, ip->payload);
    case protocols::ip_in_ip:
      return carried(packet, outer, ip->payload, ether_types::ipv4);
    case protocols::ipv6_in_ip:
      return carried(packet, outer, ip->payload, ether_types::ipv6);
    default:
      return std::nullopt;
  }
}

// Labels do not say what they carry: IP begins with its version, a control word with 0.
std::optional<NetworkLayer> inside_mpls(Bytes packet, const NetworkLayer& outer) noexcept {
  constexpr unsigned bottom_of_stack = 1;
  auto at = outer.network;
  do {
    if (!fits(packet, at, 4)) return std::nullopt;
    at += 4;
  } while ((octet(packet, at - 2) & bottom_of_stack) == 0);
  if (fits(packet, at, 4) && octet(packet, at) >> 4 == 0) return ethernet_at(packet, at + 4);
  return carried_ip(packet, outer, at);
}

std::optional<NetworkLayer> inside_pppoe(Bytes packet, const NetworkLayer& outer) noexcept {
  constexpr unsigned version_1_type_1 = 0x11, session_data = 0;
  const auto at = outer.network;
  if (!fits(packet, at, 8) || octet(packet, at) != version_1_type_1 || octet(packet, at + 1) != session_data)
    return std::nullopt;
  const auto protocol = load_be16(packet, at + 6);
  if (protocol == ppp_types::ipv4) return carried(packet, outer, at + 8, ether_types::ipv4);
  if (protocol == ppp_types::ipv6) return carried(packet, outer, at + 8, ether_types::ipv6);
  return std::nullopt;
}

FlowCondition any_of(FlowCondition a, FlowCondition b) { return FlowCondition::any(std::move(a), std::move(b)); }

// Keys know no protocol after these, and no ports.
FlowCondition has_extension() {
  auto condition = any_of(FlowCondition::has(protocol_key(protocols::fragment)),
                          FlowCondition::has(protocol_key(protocols::authentication)));
  for (const auto extension : sized_extensions)
    condition = any_of(std::move(condition), FlowCondition::has(protocol_key(extension)));
  return condition;
}

}  // namespace

bool has_network_layer(std::uint32_t linktype) noexcept {
  constexpr std::array known{linktype_null, linktype_ethernet,  linktype_raw_bsd,   linktype_raw_openbsd,
                             linktype_raw,  linktype_loop,      linktype_linux_sll, linktype_ipv4,
                             linktype_ipv6, linktype_linux_sll2};
  return std::ranges::find(known, linktype) != known.end();
}

std::optional<NetworkLayer> outer_layer(Bytes packet, std::uint32_t linktype) noexcept {
  switch (linktype) {
    case linktype_ethernet:
      return ethernet_at(packet, 0);
    case linktype_linux_sll:
      return cooked(packet, 14, 16);
    case linktype_linux_sll2:
      return cooked(packet, 0, 20);
    case linktype_null:
    case linktype_loop:
      return bare_ip(packet, 4);  // the number of the address family in front differs between systems
    default:
      return has_network_layer(linktype) ? bare_ip(packet, 0) : std::nullopt;
  }
}

std::optional<NetworkLayer> inner_layer(Bytes packet, const NetworkLayer& outer) noexcept {
  switch (outer.ether_type) {
    case ether_types::ipv4:
    case ether_types::ipv6:
      return inside_ip(packet, outer);
    case ether_types::mpls:
    case ether_types::mpls_multicast:
      return inside_mpls(packet, outer);
    case ether_types::pppoe:
      return inside_pppoe(packet, outer);
    default:
      return std::nullopt;
  }
}

FlowCondition may_have_inner_layer() {
  auto condition = has_extension();
  for (const auto protocol : {protocols::gre, protocols::ip_in_ip, protocols::ipv6_in_ip})
    condition = any_of(std::move(condition), FlowCondition::has(protocol_key(protocol)));
  for (const auto port : {udp_ports::gtp_u, udp_ports::vxlan, udp_ports::geneve, udp_ports::old_vxlan})
    condition = any_of(std::move(condition), FlowCondition::has(port_key(port)));
  for (const auto type : {ether_types::mpls, ether_types::mpls_multicast, ether_types::pppoe})
    condition = any_of(std::move(condition), FlowCondition::has(ether_type_key(type)));
  return condition;
}

std::optional<FlowEnds> flow_ends(Bytes packet, const NetworkLayer& layer) noexcept {
  const auto ip = ip_at(packet, layer);
  if (!ip) return std::nullopt;
  FlowEnds ends{.protocol = ip->protocol, .is_ipv6 = layer.ether_type == ether_types::ipv6};
  for (std::size_t end = 0; end < 2; ++end) {
    const auto address = layer.network + (ends.is_ipv6 ? 8 + 16 * end : 12 + 4 * end);
    if (ends.is_ipv6) ends.addresses[end] = {load_be64(packet, address), load_be64(packet, address + 8)};
    if (!ends.is_ipv6) ends.addresses[end].low = load_be32(packet, address);
  }
  if (!ip->whole_front) return ends;
  if (has_ports(ip->protocol) && fits(packet, ip->payload, 4)) {
    ends.ports = {load_be16(packet, ip->payload), load_be16(packet, ip->payload + 2)};
    ends.has_ports = true;
  }
  if (ip->protocol == (ends.is_ipv6 ? protocols::icmp6 : protocols::icmp) && fits(packet, ip->payload, 2)) {
    ends.ports = {static_cast<std::uint16_t>(octet(packet, ip->payload)),
                  static_cast<std::uint16_t>(octet(packet, ip->payload + 1))};
    ends.has_ports = true;
  }
  return ends;
}

FlowCondition may_have_ends(const FlowEnds& ends) {
  auto condition =
      FlowCondition::all(FlowCondition::has(port_key(ends.ports[0])), FlowCondition::has(port_key(ends.ports[1])));
  condition = any_of(std::move(condition), has_extension());
  for (const auto& address : ends.addresses) {
    const auto key = ends.is_ipv6 ? ipv6_key(address, 128) : ipv4_key(static_cast<std::uint32_t>(address.low), 32);
    condition = FlowCondition::all(std::move(condition), FlowCondition::has(key));
  }
  return condition;
}

}  // namespace wirespool::format
