// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace wirespool::test {

// One frame, built from front to back in network byte order.
class FrameBuilder {
 public:
  void u8(unsigned value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void u16(unsigned value) { big_endian(value, 2); }
  void u32(std::uint64_t value) { big_endian(value, 4); }
  void u64(std::uint64_t value) { big_endian(value, 8); }
  void big_endian(std::uint64_t value, unsigned bytes);

  void mac_addresses(std::uint64_t source);  // to 02:00:00:00:00:01, from 02 and 40 bits of `source`
  void set_source_mac(std::uint64_t source);
  void ipv4(unsigned total_bytes, unsigned protocol, std::uint32_t from, std::uint32_t to);  // header with checksum
  void ipv6(unsigned payload_bytes, unsigned next_header, std::uint32_t from, std::uint32_t to);
  void udp(unsigned udp_bytes, unsigned from_port, unsigned to_port);  // checksum filled by finish_udp()
  // The UDP checksum over header and all that follows, `sum` being that of the pseudo header (RFC 768, RFC 8200 8.1).
  void finish_udp(std::size_t udp_offset, std::uint64_t pseudo_header_sum);

  void fill(std::size_t size, std::uint64_t seed);  // pseudo-random bytes until `size`
  void cut(std::size_t size) { bytes_.resize(size); }
  std::size_t size() const { return bytes_.size(); }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::uint64_t sum16(std::size_t from, std::size_t to) const;  // RFC 1071, not folded

 private:
  void put_u16(std::size_t offset, unsigned value);
  std::vector<std::byte> bytes_;
};

}  // namespace wirespool::test
