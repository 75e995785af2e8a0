// SPDX-License-Identifier: BSD-3-Clause
#include "plan/listen_address.hpp"

#include <fmt/format.h>

#include "format/address_text.hpp"

namespace wirespool::plan {
namespace {

constexpr unsigned most_port = 65535;

bool is_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']'))
    return format::parse_ipv6(text.substr(1, text.size() - 2)).has_value();
  const auto ipv4 = format::parse_ipv4(text);
  return ipv4 && ipv4->bits == 32;
}

}  // namespace

options::Parsed<std::string> parse_listen_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::unexpected("no port: as 127.0.0.1:9100, [::1]:9100 or :9100");
  const auto address = text.substr(0, colon), port = text.substr(colon + 1);
  const auto number = options::parse_whole(port, most_port);
  if (!number || *number == 0) return std::unexpected(fmt::format("'{}' is no port from 1 to {}", port, most_port));
  if (address.empty()) return "127.0.0.1:" + port;
  if (is_address(address)) return text;
  return std::unexpected(
      fmt::format("'{}' is no address: as 127.0.0.1:9100, [::1]:9100 or :9100; names are not looked up", address));
}

}  // namespace wirespool::plan
