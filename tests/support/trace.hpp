// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "wirespool/packet.hpp"

namespace wirespool::test {

// Packets in memory, in the order in which they were sent or read. Owns their bytes.
class Trace {
 public:
  void append(Timestamp time, std::span<const std::byte> bytes, std::uint32_t wirelen);
  void append(const PacketView& packet) { append(packet.time, packet.bytes, packet.wirelen); }

  std::size_t size() const { return entries_.size(); }
  PacketView operator[](std::size_t index) const;
  std::uint64_t bytes() const { return bytes_.size(); }  // caplen bytes of all packets

 private:
  struct Entry {
    Timestamp time;
    std::uint64_t offset;
    std::uint32_t caplen;
    std::uint32_t wirelen;
  };
  std::vector<Entry> entries_;
  std::vector<std::byte> bytes_;
};

// What to make. The same spec gives the same bytes on every machine.
//
// `kind` is a number, for frames of that many bytes (FCS not included, as in every pcap: "60" is what Ethernet calls a
// 64-byte frame), or one of trace_kinds(). Sizes are frame bytes without FCS:
//   imix    7 : 4 : 1 of 60, 590, 1514 bytes ("simple IMIX"), mean 358
//   caida   41 % of 60..84, 8 % of 85..575, 9 % of 576..1300, 42 % of 1514 bytes: the two humps of a backbone, mean 776
//   jumbo   half 9014 bytes (MTU 9000), half 1515..9013
//   vlan    imix with one 802.1Q tag (8100), to 1518 bytes
//   qinq    imix with an 802.1ad tag (88a8) and an 802.1Q tag in it, to 1514 bytes
//   stacked imix with two 802.1Q tags, to 1514 bytes
//   empty   nothing behind the headers: Ethernet alone (14), IPv4 (34), UDP (42), IPv6 (54)
//   lengths every length in turn: 1, 2, 3, ... 1514, 1, 2, ...
//   non-ip  ARP, LLDP, MPLS, LLC and experimental EtherTypes, 14..1514 bytes
//   ipv6    imix over IPv6 (60 becomes 78, the least that holds a packet number)
//   mixed   a random one of imix, vlan, stacked, empty, non-ip and ipv6, 14..1518 bytes: fits an MTU of 1500, and comes
//           through net_af_packet unchanged (which gives an outer 802.1ad tag back as an 802.1Q tag)
//
// Every packet carries its number: 64 bits, big-endian, first thing behind the headers, then bytes drawn from seed and
// number. Where that does not fit, the number's low 40 bits are the source MAC address, behind a leading 02.
struct TraceSpec {
  std::string kind = "mixed";
  std::uint64_t packets = 1000;
  std::uint64_t seed = 1;
  std::uint64_t first_number = 0;
  unsigned flows = 64;     // addresses and ports are drawn from this many conversations, both directions
  unsigned min_bytes = 0;  // shorter frames are lengthened to it; a packet socket refuses less than 14
  Timestamp start = {1'767'225'600'000'000'000};  // 2026-01-01T00:00:00Z, then 1..2000 ns from packet to packet
};

std::vector<std::string> trace_kinds();
bool valid_trace_kind(const std::string& kind);
Trace make_trace(const TraceSpec& spec);

// By libpcap, nanosecond precision. Both throw std::runtime_error.
void write_pcap(const Trace& trace, const std::filesystem::path& path);
Trace read_pcap(const std::filesystem::path& path);

}  // namespace wirespool::test
