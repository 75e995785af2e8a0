// SPDX-License-Identifier: BSD-3-Clause
#include "format/layers.hpp"

#include <algorithm>

#include "format/flow_key.hpp"
#include "format/protocols.hpp"

namespace wirespool::format {
namespace {

using Frame = std::span<const std::byte>;

unsigned byte_at(Frame frame, std::size_t offset) noexcept { return static_cast<unsigned>(frame[offset]); }

bool fits(Frame frame, std::size_t offset, std::size_t bytes) noexcept { return offset + bytes <= frame.size(); }

void reach(Layers& layers, std::size_t end) noexcept { layers.end = static_cast<std::uint16_t>(end); }

// How long the header at `offset` is; 0: not known, or not whole.
std::size_t transport_header(Frame frame, std::size_t offset, std::uint8_t protocol) noexcept {
  std::size_t bytes = 0;
  switch (protocol) {
    case protocols::tcp:
      if (!fits(frame, offset, 20)) return 0;
      bytes = std::max(std::size_t{20}, std::size_t{byte_at(frame, offset + 12) >> 4} * 4);
      break;
    case protocols::udp:
    case protocols::icmp:
      bytes = 8;
      break;
    case protocols::icmp6:
      bytes = 4;
      break;
    case protocols::sctp:
      bytes = 12;
      break;
    default:
      break;
  }
  return fits(frame, offset, bytes) ? bytes : 0;
}

void find_transport(Frame frame, std::size_t offset, Layers& layers) noexcept {
  reach(layers, offset);
  const auto bytes = transport_header(frame, offset, layers.protocol);
  if (bytes == 0) return;
  layers.transport = static_cast<std::uint16_t>(offset);
  reach(layers, offset + bytes);
}

void find_ipv4(Frame frame, std::size_t ip, std::uint32_t wirelen, Layers& layers) noexcept {
  constexpr std::size_t least = 20;
  if (!fits(frame, ip, least)) return;
  const std::size_t header = (byte_at(frame, ip) & 0xf) * 4;
  if (header < least || !fits(frame, ip, header)) return;
  layers.network = static_cast<std::uint16_t>(ip);
  layers.version = 4;
  layers.protocol = static_cast<std::uint8_t>(frame[ip + 9]);
  const std::uint32_t total = load_be16(frame, ip + 2);
  layers.ip_bytes = total ? total : wirelen - static_cast<std::uint32_t>(ip);
  const bool first = (load_be16(frame, ip + 6) & 0x1fff) == 0;
  reach(layers, ip + header);
  if (first) find_transport(frame, ip + header, layers);
}

void find_ipv6(Frame frame, std::size_t ip, std::uint32_t wirelen, Layers& layers) noexcept {
  constexpr std::size_t header = 40, least = 8;
  if (!fits(frame, ip, header)) return;
  layers.network = static_cast<std::uint16_t>(ip);
  layers.version = 6;
  layers.protocol = static_cast<std::uint8_t>(frame[ip + 6]);
  const std::uint32_t payload = load_be16(frame, ip + 4);
  layers.ip_bytes = payload ? payload + header : wirelen - static_cast<std::uint32_t>(ip);
  auto offset = ip + header;
  reach(layers, offset);
  while (is_extension(layers.protocol)) {
    if (!fits(frame, offset, least)) return;
    const std::size_t bytes = extension_bytes(layers.protocol, byte_at(frame, offset + 1));
    if (!fits(frame, offset, bytes)) return;
    const bool later = layers.protocol == protocols::fragment && (load_be16(frame, offset + 2) & 0xfff8) != 0;
    layers.protocol = static_cast<std::uint8_t>(frame[offset]);
    reach(layers, offset += bytes);
    if (later) return;
  }
  find_transport(frame, offset, layers);
}

void find_ip(Frame frame, std::size_t ip, std::uint32_t wirelen, Layers& layers) noexcept {
  if (!fits(frame, ip, 1)) return;
  const unsigned version = byte_at(frame, ip) >> 4;
  if (version == 4) find_ipv4(frame, ip, wirelen, layers);
  if (version == 6) find_ipv6(frame, ip, wirelen, layers);
}

// Labels of 4 bytes, the last one marked (RFC 3032, section 2.1). What follows them is recognised by its first bits.
void find_behind_labels(Frame frame, std::size_t offset, std::uint32_t wirelen, Layers& layers) noexcept {
  for (bool last = false; !last; offset += 4) {
    if (!fits(frame, offset, 4)) return;
    last = (byte_at(frame, offset + 2) & 1) != 0;
    reach(layers, offset + 4);
  }
  find_ip(frame, offset, wirelen, layers);
}

void find_in_pppoe(Frame frame, std::size_t offset, std::uint32_t wirelen, Layers& layers) noexcept {
  constexpr std::size_t header = 6, protocol = 2;
  if (!fits(frame, offset, header + protocol)) return;
  reach(layers, offset + header + protocol);
  const auto type = load_be16(frame, offset + header);
  if (type == ppp_types::ipv4 || type == ppp_types::ipv6) find_ip(frame, layers.end, wirelen, layers);
}

}  // namespace

Layers find_layers(Frame frame, std::uint32_t wirelen) noexcept {
  constexpr std::size_t most = 0xffff;  // offsets have 16 bits
  frame = frame.first(std::min(frame.size(), most));
  Layers layers;
  std::size_t type_at = tag_offset;
  std::size_t tags = 0;
  for (; fits(frame, type_at, 2) && is_tag(load_be16(frame, type_at)); type_at += tag_bytes, ++tags) {
    if (!fits(frame, type_at, tag_bytes)) break;
    if (tags < layers.vlan.size()) layers.vlan[tags] = load_be16(frame, type_at + 2) & 0xfff;
  }
  if (!fits(frame, type_at, 2)) {
    reach(layers, frame.size());
    return layers;
  }
  const auto payload = type_at + 2;
  reach(layers, payload);
  switch (load_be16(frame, type_at)) {
    case ether_types::ipv4:
    case ether_types::ipv6:
      find_ip(frame, payload, wirelen, layers);
      break;
    case ether_types::mpls:
    case ether_types::mpls_multicast:
      find_behind_labels(frame, payload, wirelen, layers);
      break;
    case ether_types::pppoe:
      find_in_pppoe(frame, payload, wirelen, layers);
      break;
    default:
      break;
  }
  return layers;
}

}  // namespace wirespool::format
