// SPDX-License-Identifier: BSD-3-Clause
#include "format/flow_key.hpp"

namespace wirespool::format {
namespace {

enum class KeyKind : std::uint8_t { ipv4 = 1, ipv6 = 2, port = 3, protocol = 4, ether_type = 5, vlan = 6, tagged = 7 };

// splitmix64's last step: every input bit changes about half of the output bits, and no two inputs give one output.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr std::uint64_t labelled(KeyKind kind, unsigned bits, std::uint32_t value) noexcept {
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | std::uint64_t{bits} << 48 | value;
}

constexpr std::uint64_t upper_bits(std::uint64_t value, unsigned bits) noexcept {
  return bits == 0 ? 0 : bits >= 64 ? value : value & ~(~std::uint64_t{0} >> bits);
}

bool fits(std::span<const std::byte> frame, std::size_t offset, std::size_t bytes) noexcept {
  return offset + bytes <= frame.size();
}

void find_ipv4_addresses(std::span<const std::byte> frame, std::size_t source, std::size_t destination,
                         FlowFields& fields) noexcept {
  const std::array offsets{source, destination};
  for (std::size_t end = 0; end < 2; ++end) {
    if (!fits(frame, offsets[end], 4)) continue;
    fields.addresses[end].low = swap_bytes(load<std::uint32_t>(frame, offsets[end]));
    fields.words[end] = 1;
  }
}

void find_ports(std::span<const std::byte> frame, std::size_t offset, FlowFields& fields) noexcept {
  for (std::size_t end = 0; end < 2; ++end, offset += 2) {
    if (!fits(frame, offset, 2)) continue;
    fields.ports[end] = load_be16(frame, offset);
    fields.found = static_cast<std::uint16_t>(fields.found | FlowFields::source_port << end);
  }
}

bool find_protocol(std::span<const std::byte> frame, std::size_t offset, std::size_t which,
                   FlowFields& fields) noexcept {
  if (!fits(frame, offset, 1)) return false;
  fields.protocols[which] = static_cast<std::uint8_t>(frame[offset]);
  fields.found = static_cast<std::uint16_t>(fields.found | FlowFields::protocol << which);
  return true;
}

// RFC 791. Version and header length are not checked, as a filter does not check them.
void find_ipv4(std::span<const std::byte> frame, std::size_t ip, FlowFields& fields) noexcept {
  find_ipv4_addresses(frame, ip + 12, ip + 16, fields);
  if (!find_protocol(frame, ip + 9, 0, fields) || !has_ports(fields.protocols[0])) return;
  const bool first_fragment = (load_be16(frame, ip + 6) & 0x1fff) == 0;
  if (first_fragment) find_ports(frame, ip + 4 * (static_cast<std::size_t>(frame[ip]) & 0xf), fields);
}

// RFC 8200. Extension headers are not followed, as a filter does not follow them, except that the protocol of a
// fragment counts.
void find_ipv6(std::span<const std::byte> frame, std::size_t ip, FlowFields& fields) noexcept {
  for (std::size_t end = 0; end < 2; ++end) {
    std::array<std::uint32_t, 4> words{};
    for (std::size_t word = 0; word < 4; ++word) {
      const auto offset = ip + 8 + 16 * end + 4 * word;
      if (!fits(frame, offset, 4)) break;
      words[word] = swap_bytes(load<std::uint32_t>(frame, offset));
      ++fields.words[end];
    }
    fields.addresses[end] = {std::uint64_t{words[0]} << 32 | words[1], std::uint64_t{words[2]} << 32 | words[3]};
  }
  if (!find_protocol(frame, ip + 6, 0, fields)) return;
  if (fields.protocols[0] == protocols::fragment) find_protocol(frame, ip + 40, 1, fields);
  if (has_ports(fields.protocols[0])) find_ports(frame, ip + 40, fields);
}

}  // namespace

FlowKey ipv4_key(std::uint32_t address, unsigned prefix_bits) noexcept {
  const auto prefix = static_cast<std::uint32_t>(upper_bits(std::uint64_t{address} << 32, prefix_bits) >> 32);
  return {mix(labelled(KeyKind::ipv4, prefix_bits, prefix))};
}

FlowKey ipv6_key(Ipv6Address address, unsigned prefix_bits) noexcept {
  const auto high = upper_bits(address.high, prefix_bits);
  const auto low = prefix_bits <= 64 ? 0 : upper_bits(address.low, prefix_bits - 64);
  return {mix(mix(mix(labelled(KeyKind::ipv6, prefix_bits, 0)) ^ high) ^ low)};
}

FlowKey port_key(std::uint16_t port) noexcept { return {mix(labelled(KeyKind::port, 0, port))}; }
FlowKey protocol_key(std::uint8_t protocol) noexcept { return {mix(labelled(KeyKind::protocol, 0, protocol))}; }
FlowKey ether_type_key(std::uint16_t type) noexcept { return {mix(labelled(KeyKind::ether_type, 0, type))}; }
FlowKey vlan_key(std::uint16_t id) noexcept { return {mix(labelled(KeyKind::vlan, 0, id))}; }
FlowKey tagged_key() noexcept { return {mix(labelled(KeyKind::tagged, 0, 0))}; }

FlowFields flow_fields(std::span<const std::byte> frame) noexcept {
  FlowFields fields;
  auto offset = tag_offset;
  for (; fits(frame, offset, 2) && is_tag(load_be16(frame, offset)); offset += tag_bytes) ++fields.tags;
  if (fields.tags > 0) {
    fields.first_tag = load_be16(frame, tag_offset);
    if (fits(frame, tag_offset + 2, 2)) fields.first_tci = load_be16(frame, tag_offset + 2) & 0xfff;
  }
  if (!fits(frame, offset, 2)) return fields;
  fields.ether_type = load_be16(frame, offset);
  const auto payload = offset + 2;
  switch (fields.ether_type) {
    case ether_types::ipv4:
      find_ipv4(frame, payload, fields);
      break;
    case ether_types::ipv6:
      find_ipv6(frame, payload, fields);
      break;
    case ether_types::arp:
    case ether_types::rarp:
      find_ipv4_addresses(frame, payload + 14, payload + 24, fields);
      break;
    default:
      break;
  }
  return fields;
}

}  // namespace wirespool::format
