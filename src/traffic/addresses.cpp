// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/addresses.hpp"

#include <fmt/format.h>

#include <charconv>

#include "format/address_text.hpp"

namespace wirespool::traffic {

std::optional<Mac> parse_mac(std::string_view text) {
  Mac mac;
  if (text.size() != 3 * mac.size() - 1) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const auto* first = text.data() + 3 * i;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(first, first + 2, value, 16);
    if (error != std::errc{} || end != first + 2) return std::nullopt;
    if (i + 1 < mac.size() && first[2] != ':') return std::nullopt;
    mac[i] = static_cast<std::byte>(value);
  }
  return mac;
}

std::string text_of(const Mac& mac) {
  std::string text;
  for (const auto byte : mac) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", static_cast<unsigned>(byte));
  return text;
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
  const auto read = format::parse_ipv4(text);
  if (!read || read->bits != 32) return std::nullopt;
  return read->address;
}

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

}  // namespace wirespool::traffic
