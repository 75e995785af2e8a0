// SPDX-License-Identifier: BSD-3-Clause
#include "format/community_id.hpp"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>

#include "format/bytes.hpp"
#include "format/flow_record.hpp"
#include "format/protocols.hpp"

namespace wirespool::format {
namespace {

constexpr std::size_t block_bytes = 64;
using State = std::array<std::uint32_t, 5>;

// FIPS 180-4, 6.1.2.
void add_block(State& state, const std::byte* block) noexcept {
  std::array<std::uint32_t, 80> schedule{};
  for (std::size_t t = 0; t < 16; ++t) schedule[t] = swap_bytes(load<std::uint32_t>({block, block_bytes}, 4 * t));
  for (std::size_t t = 16; t < 80; ++t)
    schedule[t] = std::rotl(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);
  auto [a, b, c, d, e] = state;
  for (std::size_t t = 0; t < 80; ++t) {
    const auto [f, k] = t < 20   ? std::pair{(b & c) ^ (~b & d), 0x5a827999u}
                        : t < 40 ? std::pair{b ^ c ^ d, 0x6ed9eba1u}
                        : t < 60 ? std::pair{(b & c) ^ (b & d) ^ (c & d), 0x8f1bbcdcu}
                                 : std::pair{b ^ c ^ d, 0xca62c1d6u};
    const auto next = std::rotl(a, 5) + f + e + k + schedule[t];
    e = std::exchange(d, std::exchange(c, std::rotl(std::exchange(b, std::exchange(a, next)), 30)));
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view version = "1:";

bool is_icmp(const FlowEnds& ends) noexcept {
  return ends.protocol == (ends.is_ipv6 ? protocols::icmp6 : protocols::icmp);
}

bool names_ports(const FlowEnds& ends) noexcept { return has_ports(ends.protocol) || is_icmp(ends); }

// The ends as they are hashed: the one that sorts first comes first, except in an ICMP message of a type without a
// reply.
FlowEnds in_order(FlowEnds ends) noexcept {
  if (is_icmp(ends)) {
    const auto type = static_cast<std::uint8_t>(ends.ports[0]), code = static_cast<std::uint8_t>(ends.ports[1]);
    const auto ports = icmp_ports(ends.protocol, type, code);
    ends.ports = {ports.source, ports.destination};
    if (ports.one_way) return ends;
  }
  const auto key = [&ends](std::size_t end) {
    return std::tuple(ends.addresses[end].high, ends.addresses[end].low, ends.ports[end]);
  };
  if (key(1) < key(0)) {
    std::swap(ends.addresses[0], ends.addresses[1]);
    std::swap(ends.ports[0], ends.ports[1]);
  }
  return ends;
}

// Values one after the other, in network byte order.
class Message {
 public:
  template <std::unsigned_integral T>
  void add(T value) noexcept {
    if constexpr (sizeof value > 1) value = swap_bytes(value);
    std::memcpy(bytes_.data() + used_, &value, sizeof value);
    used_ += sizeof value;
  }
  std::span<const std::byte> bytes() const noexcept { return std::span(bytes_).first(used_); }

 private:
  std::array<std::byte, 40> bytes_{};
  std::size_t used_ = 0;
};

}  // namespace

Sha1 sha1(std::span<const std::byte> message) noexcept {
  State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const auto bits = swap_bytes(std::uint64_t{8} * message.size());
  for (; message.size() >= block_bytes; message = message.subspan(block_bytes)) add_block(state, message.data());
  // The rest of the message, a one bit, zeros, and the length: one block or two.
  std::array<std::byte, 2 * block_bytes> end{};
  std::ranges::copy(message, end.begin());
  end[message.size()] = std::byte{0x80};
  const auto end_bytes = message.size() + 1 + sizeof bits <= block_bytes ? block_bytes : 2 * block_bytes;
  std::memcpy(end.data() + end_bytes - sizeof bits, &bits, sizeof bits);
  for (std::size_t at = 0; at < end_bytes; at += block_bytes) add_block(state, end.data() + at);
  Sha1 hash{};
  for (std::size_t i = 0; i < state.size(); ++i) {
    const auto word = swap_bytes(state[i]);
    std::memcpy(hash.data() + 4 * i, &word, sizeof word);
  }
  return hash;
}

// 20 bytes are 26 characters of six bits, one of four, and a "=".
std::optional<CommunityId> CommunityId::parse(std::string_view text) {
  CommunityId id;
  if (!text.starts_with(version) || text.size() != version.size() + 28 || !text.ends_with('=')) return std::nullopt;
  text = text.substr(version.size(), 27);
  std::uint32_t bits = 0, count = 0;
  std::size_t at = 0;
  for (const auto character : text) {
    const auto value = base64.find(character);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    id.hash[at++] = static_cast<std::byte>(bits >> count & 0xff);
  }
  return (bits & ((1u << count) - 1)) == 0 ? std::optional(id) : std::nullopt;
}

std::string CommunityId::text() const {
  std::string text(version);
  std::uint32_t bits = 0, count = 0;
  for (const auto byte : hash) {
    bits = bits << 8 | static_cast<std::uint32_t>(byte);
    for (count += 8; count >= 6;) text += base64[bits >> (count -= 6) & 0x3f];
  }
  return text + base64[bits << (6 - count) & 0x3f] + "=";
}

std::optional<CommunityId> community_id(const FlowEnds& ends) noexcept {
  if (names_ports(ends) && !ends.has_ports) return std::nullopt;
  const auto ordered = in_order(ends);
  Message message;
  message.add(std::uint16_t{0});  // the seed
  for (const auto& address : ordered.addresses) {
    if (ends.is_ipv6) message.add(address.high);
    if (ends.is_ipv6) message.add(address.low);
    if (!ends.is_ipv6) message.add(static_cast<std::uint32_t>(address.low));
  }
  message.add(ends.protocol);
  message.add(std::uint8_t{0});
  for (const auto port : ordered.ports) {
    if (names_ports(ends)) message.add(port);
  }
  return CommunityId{sha1(message.bytes())};
}

}  // namespace wirespool::format
