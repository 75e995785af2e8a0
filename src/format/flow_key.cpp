// SPDX-License-Identifier: BSD-3-Clause
#include "format/flow_key.hpp"

namespace wirespool::format {
namespace {

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
