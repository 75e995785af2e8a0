// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// pcapng, as draft-ietf-opsawg-pcapng describes it: the parts needed to read packets out of any such file and to write
// one with nanosecond times.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/bytes.hpp"
#include "format/source_tally.hpp"

namespace wirespool::format {

inline constexpr std::uint32_t pcapng_section = 0x0a0d0d0a;
inline constexpr std::uint32_t pcapng_interface = 1;
inline constexpr std::uint32_t pcapng_old_packet = 2;
inline constexpr std::uint32_t pcapng_simple_packet = 3;
inline constexpr std::uint32_t pcapng_interface_statistics = 5;
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
  std::uint32_t passed_over_ = 0;  // one bit for each kind
  std::vector<Interface> interfaces_;
};

// What wirespool's own files begin with. Empty texts are left out.
struct PcapngSection {
  std::string hardware, os, application;
};
std::vector<std::byte> pcapng_section_header(const PcapngSection& section);

// Where packets come from: a capture writes one for each RX queue, and whoever writes packets of other files one for
// each link type. Times are in nanoseconds. What is empty or 0 is left out.
struct PcapngInterface {
  std::uint32_t linktype = 0;
  std::uint32_t snaplen = 0;
  std::string name = {}, description = {}, filter = {}, comment = {};
  std::optional<std::array<std::byte, 6>> mac = {};
  std::uint64_t bits_per_s = 0;
};
std::vector<std::byte> pcapng_interface_block(const PcapngInterface& interface);

// What stands in front of the first packet of a file that a capture of wirespool wrote: one section, and Ethernet
// interfaces. nullopt: it is no such file, or `bytes`, its first ones, end before something follows them.
struct PcapngFront {
  std::vector<std::byte> bytes;
  std::uint32_t interfaces = 0;
  std::uint32_t snaplen = 0;
};
inline constexpr std::size_t longest_pcapng_front = 1 << 20;
std::optional<PcapngFront> pcapng_front(std::span<const std::byte> bytes);

// What follows the last packet of a captured file: for each source (interface) that has anything, how many of its
// packets were received, lost (and why) and kept, between the times of the file's `first` and `last` packet.
// `clock_error_ns`: how far these times may be from UTC, if known.
std::vector<std::byte> pcapng_statistics(std::span<const SourceTally> sources, Timestamp first, Timestamp last,
                                         std::optional<std::uint64_t> clock_error_ns);

// Such a block, read back. nullopt: it has no counts, or other ones than a capture of wirespool writes.
struct PcapngStatistics {
  std::uint32_t interface = 0;
  SourceTally tally;
  std::uint64_t received = 0, filter_accepted = 0;
};
std::optional<PcapngStatistics> read_pcapng_statistics(std::span<const std::byte> block);

// In front of a packet's bytes. Padding to 4 bytes, options and the length once more follow them (PcapngRecords).
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

}  // namespace wirespool::format
