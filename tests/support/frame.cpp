// SPDX-License-Identifier: BSD-3-Clause
#include "support/frame.hpp"

#include "support/random.hpp"

namespace wirespool::test {
namespace {

// RFC 1071: one's complement of the one's complement sum.
unsigned folded(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<unsigned>(~sum & 0xffff);
}

}  // namespace

void FrameBuilder::big_endian(std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) u8(static_cast<unsigned>(value >> (8 * (i - 1)) & 0xff));
}

void FrameBuilder::mac_addresses(std::uint64_t source) {
  big_endian(0x020000000001, 6);
  big_endian(0x020000000000 | (source & 0xffffffffff), 6);
}

void FrameBuilder::set_source_mac(std::uint64_t source) {
  for (unsigned i = 0; i < 5; ++i) bytes_.at(7 + i) = static_cast<std::byte>(source >> (8 * (4 - i)) & 0xff);
}

void FrameBuilder::ipv4(unsigned total_bytes, unsigned protocol, std::uint32_t from, std::uint32_t to) {
  const auto start = size();
  u16(0x4500);
  u16(total_bytes);
  u32(0x00004000);  // identification 0, don't fragment
  u8(64);
  u8(protocol);
  u16(0);
  u32(from);
  u32(to);
  put_u16(start + 10, folded(sum16(start, start + 20)));
}

void FrameBuilder::ipv6(unsigned payload_bytes, unsigned next_header, std::uint32_t from, std::uint32_t to) {
  u32(0x60000000);
  u16(payload_bytes);
  u8(next_header);
  u8(64);
  for (const auto address : {from, to}) {
    u64(0x20010db800000000);  // 2001:db8::/32, documentation (RFC 3849)
    u64(address);
  }
}

void FrameBuilder::udp(unsigned udp_bytes, unsigned from_port, unsigned to_port) {
  u16(from_port);
  u16(to_port);
  u16(udp_bytes);
  u16(0);
}

void FrameBuilder::finish_udp(std::size_t udp_offset, std::uint64_t pseudo_header_sum) {
  const auto checksum = folded(pseudo_header_sum + sum16(udp_offset, size()));
  put_u16(udp_offset + 6, checksum == 0 ? 0xffff : checksum);
}

void FrameBuilder::fill(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  while (bytes_.size() + 8 <= size) u64(random.next());
  auto rest = random.next();
  for (; bytes_.size() < size; rest >>= 8) u8(static_cast<unsigned>(rest & 0xff));
}

std::uint64_t FrameBuilder::sum16(std::size_t from, std::size_t to) const {
  std::uint64_t sum = 0;
  for (auto i = from; i < to; ++i) sum += std::to_integer<std::uint64_t>(bytes_[i]) << ((i - from) % 2 == 0 ? 8 : 0);
  return sum;
}

void FrameBuilder::put_u16(std::size_t offset, unsigned value) {
  bytes_.at(offset) = static_cast<std::byte>(value >> 8 & 0xff);
  bytes_.at(offset + 1) = static_cast<std::byte>(value & 0xff);
}

}  // namespace wirespool::test
