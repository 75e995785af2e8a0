// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
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

// Decimal, 0x hexadecimal or 0 octal, as libpcap reads numbers.
std::optional<std::uint32_t> parse_number(std::string_view text);

}  // namespace wirespool::format
