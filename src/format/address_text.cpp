// SPDX-License-Identifier: BSD-3-Clause
#include "format/address_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace wirespool::format {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text, int base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Groups of up to four hexadecimal digits with ':' between; the address's last may be an IPv4 address, which makes two.
std::optional<std::vector<std::uint16_t>> parse_groups(std::string_view text, bool ends_address) {
  std::vector<std::uint16_t> groups;
  if (text.empty()) return groups;
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto v4 = ends_address && i + 1 == parts.size() ? parse_ipv4(parts[i]) : std::nullopt;
    if (v4 && v4->bits == 32) {
      groups.push_back(static_cast<std::uint16_t>(v4->address >> 16));
      groups.push_back(static_cast<std::uint16_t>(v4->address));
      continue;
    }
    const auto group = whole_number<std::uint16_t>(parts[i], 16);
    if (!group || parts[i].size() > 4) return std::nullopt;
    groups.push_back(*group);
  }
  return groups;
}

}  // namespace

std::optional<Ipv4Text> parse_ipv4(std::string_view text) {
  Ipv4Text result;
  for (const auto part : split(text, '.')) {
    const auto octet = whole_number<std::uint8_t>(part, 10);
    const bool leading_zero = part.size() > 1 && part.front() == '0';
    if (!octet || leading_zero || result.bits == 32) return std::nullopt;
    result.bits += 8;
    result.address |= std::uint32_t{*octet} << (32 - result.bits);
  }
  return result;
}

std::optional<Ipv6Address> parse_ipv6(std::string_view text) {
  const auto gap = text.find("::");
  if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos) return std::nullopt;
  const auto front = parse_groups(text.substr(0, gap), gap == std::string_view::npos);
  const auto back = parse_groups(gap == std::string_view::npos ? "" : text.substr(gap + 2), true);
  if (!front || !back) return std::nullopt;
  const auto given = front->size() + back->size();
  if (gap == std::string_view::npos ? given != 8 : given > 7) return std::nullopt;
  auto groups = *front;
  groups.resize(8 - back->size());
  groups.insert(groups.end(), back->begin(), back->end());
  Ipv6Address address;
  for (std::size_t i = 0; i < 4; ++i) {
    address.high = address.high << 16 | groups[i];
    address.low = address.low << 16 | groups[i + 4];
  }
  return address;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return whole_number<std::uint32_t>(text.substr(2), 16);
  if (text.size() > 1 && text.starts_with('0')) return whole_number<std::uint32_t>(text.substr(1), 8);
  return whole_number<std::uint32_t>(text, 10);
}

namespace {

std::string ipv4_text(std::span<const std::byte> bytes) {
  return fmt::format("{}.{}.{}.{}", static_cast<unsigned>(bytes[0]), static_cast<unsigned>(bytes[1]),
                     static_cast<unsigned>(bytes[2]), static_cast<unsigned>(bytes[3]));
}

// The longest run of zero groups, the first of equals; one alone is none.
std::pair<std::size_t, std::size_t> longest_zeros(const std::array<std::uint16_t, 8>& groups) {
  std::size_t from = 0, length = 1;
  for (std::size_t begin = 0; begin < groups.size(); ++begin) {
    auto end = begin;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - begin > length) from = begin, length = end - begin;
  }
  return length > 1 ? std::pair(from, from + length) : std::pair(groups.size(), groups.size());
}

}  // namespace

std::string address_text(const std::array<std::byte, 16>& address, unsigned version) {
  if (version == 4) return ipv4_text(address);
  std::array<std::uint16_t, 8> groups;
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = load_be16(address, 2 * i);
  const auto [from, to] = longest_zeros(groups);
  if (from == 0 && to == 5 && groups[5] == 0xffff) return "::ffff:" + ipv4_text(std::span(address).subspan(12));
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == from) text += "::";
    if (i >= from && i < to) continue;
    text += fmt::format("{}{:x}", i == 0 || i == to ? "" : ":", groups[i]);
  }
  return text;
}

}  // namespace wirespool::format
