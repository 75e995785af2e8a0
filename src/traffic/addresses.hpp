// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wirespool::traffic {

using Mac = std::array<std::byte, 6>;

// "02:00:00:00:00:01": six bytes in hexadecimal with colons between.
std::optional<Mac> parse_mac(std::string_view text);
std::string text_of(const Mac& mac);
constexpr bool is_group(const Mac& mac) { return (mac[0] & std::byte{1}) != std::byte{}; }  // multicast, broadcast

constexpr bool is_zero(const Mac& mac) { return mac == Mac{}; }  // the loopback's, and of no other interface

// "10.0.0.1", in host order.
std::optional<std::uint32_t> parse_address(std::string_view text);
std::string address_text(std::uint32_t address);

}  // namespace wirespool::traffic
