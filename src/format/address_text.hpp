// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/flow_key.hpp"

namespace wirespool::format {

// One to four decimal numbers with dots between, as in pcap-filter(7)'s "net 192.168": the address, left-aligned, and
// how many bits were given. No leading zeros: libpcap and others read these differently.
struct Ipv4Text {
  std::uint32_t address = 0;
  unsigned bits = 0;
};
std::optional<Ipv4Text> parse_ipv4(std::string_view text);

// RFC 4291, section 2.2, all three forms.
std::optional<Ipv6Address> parse_ipv6(std::string_view text);

// An address as it lies in a packet, of IPv4 its first four bytes: RFC 5952, so that there is one text for each.
std::string address_text(const std::array<std::byte, 16>& address, unsigned version);

// Decimal, 0x hexadecimal or 0 octal, as libpcap reads numbers.
std::optional<std::uint32_t> parse_number(std::string_view text);

}  // namespace wirespool::format
