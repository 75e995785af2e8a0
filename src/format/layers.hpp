// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Where the headers of an Ethernet frame lie, followed as their lengths say: IEEE 802.1Q, RFC 3032 (MPLS), RFC 2516
// (PPPoE), RFC 791, RFC 8200 with its extension headers. flow_key.hpp looks for fields where filters look for them;
// this is for those who need to know what a packet really is. Nothing is read beyond the frame's end.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace wirespool::format {

struct Layers {
  static constexpr std::uint16_t no_vlan = 0xffff;

  std::uint16_t end = 0;        // after the last header that is known and whole
  std::uint16_t network = 0;    // where the IP header begins; 0: no IP
  std::uint16_t transport = 0;  // where the header after IP's begins; 0: none here, as in a later fragment
  std::uint8_t version = 0;     // 4 or 6
  std::uint8_t protocol = 0;    // what IP carries, after extension headers
  std::array<std::uint16_t, 2> vlan{no_vlan, no_vlan};  // ids of the two outermost tags
  // Length of the IP packet, its header included, as the header says; if that says 0 (a jumbogram, or a packet that the
  // NIC segments later), what the frame has.
  std::uint32_t ip_bytes = 0;

  bool is_ip() const noexcept { return network != 0; }
  bool operator==(const Layers&) const = default;
};

// `frame`: as much of it as was captured; `wirelen`: how long it was.
Layers find_layers(std::span<const std::byte> frame, std::uint32_t wirelen) noexcept;

}  // namespace wirespool::format
