// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Which keys a frame has. Finds fields where libpcap's filters find them (pcap-filter(7)), in malformed frames too, so
// that a packet that matches a filter always has the keys the filter asks for. Looks behind any number of VLAN tags.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "format/bytes.hpp"
#include "format/flow_condition.hpp"
#include "format/protocols.hpp"

namespace wirespool::format {

struct Ipv6Address {
  std::uint64_t high = 0;  // the first eight bytes, read big-endian
  std::uint64_t low = 0;
};

// What a key stands for, as a hash; no two of these but IPv6 prefixes have the same one.
namespace key_hash {

enum class Kind : std::uint8_t { ipv4 = 1, ipv6 = 2, port = 3, protocol = 4, ether_type = 5, vlan = 6, tagged = 7 };

// splitmix64's last step: every input bit changes about half of the output bits, and no two inputs give one output.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr std::uint64_t labelled(Kind kind, unsigned bits, std::uint32_t value) noexcept {
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | std::uint64_t{bits} << 48 | value;
}

constexpr std::uint64_t upper_bits(std::uint64_t value, unsigned bits) noexcept {
  return bits == 0 ? 0 : bits >= 64 ? value : value & ~(~std::uint64_t{0} >> bits);
}

}  // namespace key_hash

inline FlowKey ipv4_key(std::uint32_t address, unsigned prefix_bits) noexcept {
  const auto prefix = static_cast<std::uint32_t>(key_hash::upper_bits(std::uint64_t{address} << 32, prefix_bits) >> 32);
  return {key_hash::mix(key_hash::labelled(key_hash::Kind::ipv4, prefix_bits, prefix))};
}

inline FlowKey ipv6_key(Ipv6Address address, unsigned prefix_bits) noexcept {
  const auto high = key_hash::upper_bits(address.high, prefix_bits);
  const auto low = prefix_bits <= 64 ? 0 : key_hash::upper_bits(address.low, prefix_bits - 64);
  return {key_hash::mix(key_hash::mix(key_hash::mix(key_hash::labelled(key_hash::Kind::ipv6, prefix_bits, 0)) ^ high) ^
                        low)};
}

inline FlowKey port_key(std::uint16_t port) noexcept {
  return {key_hash::mix(key_hash::labelled(key_hash::Kind::port, 0, port))};
}
// Of IPv4 or IPv6.
inline FlowKey protocol_key(std::uint8_t protocol) noexcept {
  return {key_hash::mix(key_hash::labelled(key_hash::Kind::protocol, 0, protocol))};
}
inline FlowKey ether_type_key(std::uint16_t type) noexcept {
  return {key_hash::mix(key_hash::labelled(key_hash::Kind::ether_type, 0, type))};
}
inline FlowKey vlan_key(std::uint16_t id) noexcept {
  return {key_hash::mix(key_hash::labelled(key_hash::Kind::vlan, 0, id))};
}
// Has any VLAN tag.
inline FlowKey tagged_key() noexcept { return {key_hash::mix(key_hash::labelled(key_hash::Kind::tagged, 0, 0))}; }

// The prefixes of each address that are keys.
inline constexpr std::array<unsigned, 4> ipv4_prefixes{8, 16, 24, 32};
inline constexpr std::array<unsigned, 4> ipv6_prefixes{32, 48, 64, 128};

// What was found in a frame.
struct FlowFields {
  enum Found : std::uint16_t { protocol = 1, next_protocol = 2, source_port = 4, destination_port = 8 };

  std::array<Ipv6Address, 2> addresses{};  // of IPv4 in the low half
  std::array<std::uint16_t, 2> ports{};
  std::uint16_t ether_type = 0;  // after all tags; 0: the frame ends before it
  std::uint16_t found = 0;
  std::uint16_t first_tag = 0;  // TPID and TCI of the first tag
  std::uint16_t first_tci = 0;
  std::array<std::uint8_t, 2> protocols{};  // the second is what an IPv6 fragment header names
  std::array<std::uint8_t, 2> words{};      // whole 4-byte words of each address; fewer if the frame ends within it
  std::uint16_t tags = 0;

  bool operator==(const FlowFields&) const = default;
};
inline bool operator==(const Ipv6Address& a, const Ipv6Address& b) { return a.high == b.high && a.low == b.low; }

FlowFields flow_fields(std::span<const std::byte> frame) noexcept;

inline constexpr std::size_t tag_offset = 12;
inline constexpr std::size_t tag_bytes = 4;

inline std::uint16_t load_be16(std::span<const std::byte> bytes, std::size_t offset) noexcept {
  return swap_bytes(load<std::uint16_t>(bytes, offset));
}

// Calls sink(FlowKey) for every key of the frame that `fields` was read from.
template <class Sink>
void for_each_flow_key(std::span<const std::byte> frame, const FlowFields& fields, Sink&& sink) {
  for (std::size_t tag = 0; tag < fields.tags; ++tag) {
    sink(ether_type_key(load_be16(frame, tag_offset + tag * tag_bytes)));
    sink(tagged_key());
    const auto tci = tag_offset + tag * tag_bytes + 2;
    if (tci + 2 <= frame.size()) sink(vlan_key(load_be16(frame, tci) & 0xfff));
  }
  // Below 0x600 it is the length of an 802.3 frame.
  if (fields.ether_type >= 0x600) sink(ether_type_key(fields.ether_type));
  const bool is_ipv6 = fields.ether_type == ether_types::ipv6;
  for (std::size_t end = 0; end < 2; ++end) {
    const auto& address = fields.addresses[end];
    for (const auto bits : is_ipv6 ? ipv6_prefixes : ipv4_prefixes) {
      // A filter looks at as many whole words as its prefix needs.
      if (bits > 32u * fields.words[end]) break;
      sink(is_ipv6 ? ipv6_key(address, bits) : ipv4_key(static_cast<std::uint32_t>(address.low), bits));
    }
    if ((fields.found & (FlowFields::protocol << end)) != 0) sink(protocol_key(fields.protocols[end]));
    if ((fields.found & (FlowFields::source_port << end)) != 0) sink(port_key(fields.ports[end]));
  }
}

}  // namespace wirespool::format
