// SPDX-License-Identifier: BSD-3-Clause
#include "spool/random_traffic.hpp"

#include <vector>

#include "support/frame.hpp"

namespace wirespool::test {
namespace {

template <class T>
const T& one_of(Random& random, const std::vector<T>& choices) {
  return choices[random.below(choices.size())];
}

// 64 hosts in four networks, of which a trace sees most and a Block few.
std::uint32_t random_host(Random& random) {
  static const std::vector<std::uint32_t> networks{0x0a000000, 0x0a000100, 0xc0a80000, 0x0a010000};
  return one_of(random, networks) + static_cast<std::uint32_t>(random.below(16));
}

std::string text_of(std::uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

unsigned random_port(Random& random) { return one_of<unsigned>(random, {80, 443, 53, 8000, 8001, 8002, 40000, 65535}); }
unsigned random_protocol(Random& random) { return one_of<unsigned>(random, {6, 6, 17, 17, 1, 58, 132, 50, 44, 47, 2}); }

void ports(FrameBuilder& frame, Random& random) {
  frame.u16(random_port(random));
  frame.u16(random_port(random));
}

void ipv4(FrameBuilder& frame, Random& random) {
  const auto options = random.below(5) == 0 ? static_cast<unsigned>(random.below(11)) : 0;
  // Now and then a header length of nonsense.
  const auto words = random.below(30) == 0 ? static_cast<unsigned>(random.below(16)) : 5 + options;
  frame.u8(0x40 + words % 16);
  frame.u8(0);
  frame.u16(20 + 4 * options + 8);
  frame.u16(static_cast<unsigned>(random.below(65536)));
  frame.u16(one_of<unsigned>(random, {0x4000, 0x4000, 0x4000, 0, 0x2000, 0x2010, 0x0010}));
  frame.u8(64);
  frame.u8(random_protocol(random));
  frame.u16(0);
  frame.u32(random_host(random));
  frame.u32(random_host(random));
  for (unsigned i = 0; i < options; ++i) frame.u32(random.next() & 0xffffffff);
  ports(frame, random);
}

void ipv6(FrameBuilder& frame, Random& random) {
  frame.u32(0x60000000);
  frame.u16(8);
  frame.u8(random_protocol(random));
  frame.u8(64);
  for (int end = 0; end < 2; ++end) {
    frame.u64(0x20010db800000000 + (random.below(2) << 16) + random.below(2));
    frame.u64(random_host(random));
  }
  if (random.below(4) == 0) {
    frame.u8(random_protocol(random));  // as a fragment header would begin
    frame.u8(0);
  }
  ports(frame, random);
}

void arp(FrameBuilder& frame, Random& random) {
  frame.u16(1);
  frame.u16(0x0800);
  frame.u16(0x0604);
  frame.u16(1);
  frame.big_endian(0x020000000002, 6);
  frame.u32(random_host(random));
  frame.big_endian(0, 6);
  frame.u32(random_host(random));
}

FrameBuilder random_frame(Random& random) {
  FrameBuilder frame;
  frame.mac_addresses(random.below(16));
  for (auto tags = random.below(8); tags > 5; --tags) {
    frame.u16(one_of<unsigned>(random, {0x8100, 0x88a8, 0x9100}));
    frame.u16(static_cast<unsigned>(random.below(8) << 13 | (1 + random.below(6))));
  }
  switch (random.below(10)) {
    case 0:
      frame.u16(0x86dd);
      ipv6(frame, random);
      break;
    case 1:
      frame.u16(0x86dd);
      ipv6(frame, random);
      break;
    case 2:
      frame.u16(random.below(2) == 0 ? 0x0806 : 0x8035);
      arp(frame, random);
      break;
    case 3:
      frame.u16(static_cast<unsigned>(random.below(65536)));
      break;
    case 4:
      frame.u16(0x8847);
      frame.u32(0x00064140);
      ipv4(frame, random);
      break;  // MPLS, label 100
    default:
      frame.u16(0x0800);
      ipv4(frame, random);
      break;
  }
  frame.fill(frame.size() + random.below(60), random.next());
  if (random.below(8) == 0) frame.cut(random.below(frame.size()) + 1);
  return frame;
}

std::string random_primitive(Random& random) {
  const auto direction = one_of<std::string>(random, {"", "", "", "src ", "dst ", "src or dst ", "src and dst "});
  const auto host = text_of(random_host(random));
  const auto six = "2001:db8:" + std::to_string(random.below(2)) + ":" + std::to_string(random.below(2)) +
                   "::" + one_of<std::string>(random, {"a00:1", "a00:103", "c0a8:7"});
  const auto port = std::to_string(random_port(random));
  switch (random.below(24)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return direction + "host " + host;
    case 4:
      return direction + host;
    case 5:
      return one_of<std::string>(random, {"ip ", "arp ", "rarp "}) + direction + "host " + host;
    case 6:
      return direction + "host " + six;
    case 7:
      return "ip6 " + direction + "net 2001:db8:" + std::to_string(random.below(2)) + "::/" +
             one_of<std::string>(random, {"48", "47", "44", "64"});
    case 8:
      return direction + "net " +
             one_of<std::string>(random, {"10", "10.0", "10.0.1", "192.168.0", "10.0.0.5", "172.16"});
    case 9:
      return direction + "net " +
             one_of<std::string>(random, {"10.0.0.0/23", "10.0.0.8/29", "10.0.0.0/15", "0.0.0.0/0",
                                          "192.168.0.0 mask 255.255.255.248", "128.0.0.0/1"});
    case 10:
    case 11:
      return direction + "port " + port;
    case 12:
      return one_of<std::string>(random, {"tcp ", "udp ", "sctp "}) + direction + "port " + port;
    case 13:
      return direction + "portrange 8000-800" + std::to_string(random.below(4));
    case 14:
      return one_of<std::string>(random, {"tcp", "udp", "icmp", "icmp6", "sctp", "esp", "igmp"});
    case 15:
      return one_of<std::string>(random, {"ip", "ip6", "arp", "rarp"});
    case 16:
      return one_of<std::string>(random, {"ip proto ", "ip6 proto ", "proto "}) +
             one_of<std::string>(random, {"6", "\\udp", "47", "44", "\\icmp"});
    case 17:
      return "ether proto " + one_of<std::string>(random, {"0x0800", "\\arp", "0x8847", "34525", "0x88a8"});
    case 18:
      return "vlan";
    case 19:
      return "vlan " + std::to_string(1 + random.below(6));
    case 20:
      return one_of<std::string>(
          random, {"tcp[13] & 2 != 0", "ip[8] = 64", "(ip[0] & 0xf) > 5", "len > 80", "ether[12:2] = 0x800"});
    case 21:
      return one_of<std::string>(random, {"greater 90", "less 60", "ether multicast", "ip multicast", "broadcast"});
    case 22:
      return "ether host 02:00:00:00:00:0" + std::to_string(random.below(8));
    default:
      return one_of<std::string>(random, {"mpls", "mpls 100", "ip protochain 6", "pppoes"});
  }
}

}  // namespace

Trace random_traffic(Random& random, std::size_t packets) {
  Trace trace;
  std::uint64_t time = 1'767'225'600'000'000'000;
  for (std::size_t i = 0; i < packets; ++i) {
    const auto frame = random_frame(random);
    trace.append(Timestamp{time += 1 + random.below(1000)}, frame.bytes(), static_cast<std::uint32_t>(frame.size()));
  }
  return trace;
}

std::string random_filter(Random& random, unsigned depth) {
  if (depth == 0 || random.below(4) == 0) return random_primitive(random);
  const auto left = random_filter(random, depth - 1);
  switch (random.below(10)) {
    case 0:
      return "not " + left;
    case 1:
      return "(" + left + ")";
    case 2:
      return "!(" + left + ")";
    case 3:
    case 4:
    case 5:
      return left + one_of<std::string>(random, {" or ", " || "}) + random_filter(random, depth - 1);
    case 6:
      return left + " or " +
             one_of<std::string>(random, {text_of(random_host(random)), std::to_string(random_port(random))});
    case 7:
      return left + " and (" + random_filter(random, depth - 1) + ")";
    default:
      return left + one_of<std::string>(random, {" and ", " && "}) + random_filter(random, depth - 1);
  }
}

}  // namespace wirespool::test
