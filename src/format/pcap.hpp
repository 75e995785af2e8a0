// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Classic pcap, as pcap-savefile(5) describes it. wirespool writes one variant only: nanosecond, little-endian,
// LINKTYPE_ETHERNET.

#include <bit>
#include <cstdint>

#include "wirespool/timestamp.hpp"

namespace wirespool::format {

static_assert(std::endian::native == std::endian::little,
              "files are written in host order, which must be little-endian");

inline constexpr std::uint32_t pcap_magic_ns = 0xa1b23c4d;
inline constexpr std::uint32_t pcap_magic_us = 0xa1b2c3d4;
// Kuznetzov's patch of libpcap (FRITZ!Box and others): microseconds, and 8 more bytes in each record header.
inline constexpr std::uint32_t pcap_magic_kuznetzov = 0xa1b2cd34;
inline constexpr std::uint32_t linktype_ethernet = 1;
// MAXIMUM_SNAPLEN of libpcap for Ethernet: readers may refuse a record that claims more.
inline constexpr std::uint32_t max_snaplen = 262144;

// At the start of every file.
struct PcapFileHeader {
  std::uint32_t magic = pcap_magic_ns;
  std::uint16_t version_major = 2;
  std::uint16_t version_minor = 4;
  std::uint32_t reserved1 = 0;
  std::uint32_t reserved2 = 0;
  std::uint32_t snaplen = max_snaplen;
  std::uint32_t linktype = linktype_ethernet;
};
static_assert(sizeof(PcapFileHeader) == 24);

// In front of every packet; `caplen` bytes follow.
struct PcapRecordHeader {
  std::uint32_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint32_t caplen = 0;
  std::uint32_t wirelen = 0;
};
static_assert(sizeof(PcapRecordHeader) == 16);

}  // namespace wirespool::format
