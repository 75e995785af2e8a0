// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// pcapng, as draft-ietf-opsawg-pcapng describes it: the parts needed to read packets out of any such file and to write
// one with nanosecond times.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/bytes.hpp"

namespace wirespool::format {

inline constexpr std::uint32_t pcapng_section = 0x0a0d0d0a;
inline constexpr std::uint32_t pcapng_interface = 1;
inline constexpr std::uint32_t pcapng_old_packet = 2;
inline constexpr std::uint32_t pcapng_simple_packet = 3;
inline constexpr std::uint32_t pcapng_enhanced_packet = 6;
inline constexpr std::uint32_t pcapng_byte_order = 0x1a2b3c4d;

// Reads packets of either byte order; every section may have its own. Blocks that hold no packet are passed over.
class PcapngDecoder {
 public:
  static bool has_magic(std::span<const std::byte> head) noexcept;

  Decoded next(std::span<const std::byte> window);
  bool is_swapped() const { return swapped_; }  // the section is in the other byte order
  // What was seen so far that is no packet and has no place in a StoredPacket.
  std::vector<std::string> passed_over() const;

 private:
  struct Interface {
    std::uint32_t linktype = 0;
    std::uint32_t snaplen = 0;
    std::uint64_t units_per_second = 1'000'000;
    std::int64_t offset_seconds = 0;
  };

  template <class T>
  T field(std::span<const std::byte> bytes, std::size_t offset) const noexcept;
  std::optional<Timestamp> time_of(const Interface& interface, std::uint64_t units) const noexcept;
  Decoded begin_section(std::span<const std::byte> window);
  Decoded add_interface(std::span<const std::byte> block);
  void read_options(std::span<const std::byte> options, Interface& interface);
  void look_at_options(std::span<const std::byte> options, std::uint32_t others) noexcept;
  void look_at_block(std::uint32_t type) noexcept;
  Decoded timed_packet(std::span<const std::byte> block, std::size_t number);
  Decoded simple_packet(std::span<const std::byte> block) const;
  Decoded packet(std::span<const std::byte> block, std::size_t header, const Interface& interface,
                 std::optional<Timestamp> time, std::uint32_t caplen, std::uint32_t wirelen) const;

  bool in_section_ = false;
  bool swapped_ = false;
  std::uint32_t passed_over_ = 0;  // a bit for each kind
  std::vector<Interface> interfaces_;
};

// A section header for wirespool's own files, then one interface block a link type, each with nanosecond times.
std::vector<std::byte> pcapng_section_header(const std::string& application);
std::vector<std::byte> pcapng_interface_block(std::uint32_t linktype, std::uint32_t snaplen);

// In front of a packet's bytes, and what follows them: padding to 4 bytes and the length once more.
struct PcapngPacketHeader {
  std::uint32_t type = pcapng_enhanced_packet;
  std::uint32_t length = 0;
  std::uint32_t interface = 0;
  std::uint32_t time_high = 0;
  std::uint32_t time_low = 0;
  std::uint32_t caplen = 0;
  std::uint32_t wirelen = 0;
};
static_assert(sizeof(PcapngPacketHeader) == 28);

constexpr std::uint32_t pcapng_padding(std::uint32_t caplen) { return (4 - caplen % 4) % 4; }

inline PcapngPacketHeader pcapng_packet_header(const PacketView& packet, std::uint32_t interface) noexcept {
  const auto caplen = packet.caplen();
  return {pcapng_enhanced_packet,
          static_cast<std::uint32_t>(sizeof(PcapngPacketHeader)) + caplen + pcapng_padding(caplen) + 4,
          interface,
          static_cast<std::uint32_t>(packet.time.ns >> 32),
          static_cast<std::uint32_t>(packet.time.ns),
          caplen,
          packet.wirelen};
}

}  // namespace wirespool::format
