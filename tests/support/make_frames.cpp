// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>

#include "support/frame.hpp"
#include "support/random.hpp"
#include "support/trace.hpp"

namespace wirespool::test {
namespace {

constexpr unsigned ethernet_bytes = 14, ipv4_bytes = 20, ipv6_bytes = 40, udp_bytes = 8, number_bytes = 8;
constexpr unsigned ipv4_udp_bytes = ethernet_bytes + ipv4_bytes + udp_bytes;
constexpr unsigned ipv6_udp_bytes = ethernet_bytes + ipv6_bytes + udp_bytes;
constexpr unsigned protocol_udp = 17;

// What one frame is made from.
struct Recipe {
  std::uint64_t number;
  std::uint64_t seed;  // of this packet's bytes
  unsigned flows;
  Random& random;  // of the whole trace
};

struct Flow {
  std::uint32_t from, to;
  unsigned from_port, to_port;
};

Flow pick_flow(Recipe& recipe) {
  const auto flow = static_cast<std::uint32_t>(recipe.random.below(std::max(1u, recipe.flows)));
  Flow forward{0x0a000000u + flow, 0x0a800000u + flow * 7, 1024 + flow % 60000, 443 + flow % 13};
  if (recipe.random.below(2) == 0) return forward;
  return {forward.to, forward.from, forward.to_port, forward.from_port};
}

// Number and pseudo-random bytes up to `size`; in the source MAC address if there is no room.
void finish(FrameBuilder& frame, const Recipe& recipe, std::size_t size) {
  if (frame.size() + number_bytes <= size)
    frame.u64(recipe.number);
  else
    frame.set_source_mac(recipe.number);
  frame.fill(size, recipe.seed);
}

FrameBuilder raw_frame(const Recipe& recipe, unsigned ether_type, unsigned size) {
  FrameBuilder frame;
  frame.mac_addresses(0);
  frame.u16(ether_type);
  finish(frame, recipe, size);
  frame.cut(size);
  return frame;
}

enum class Tags { none, vlan, qinq, stacked };

void put_tags(FrameBuilder& frame, const Recipe& recipe, Tags tags) {
  constexpr std::uint32_t dot1q = 0x8100'0000, dot1ad = 0x88a8'0000;
  const auto outer = 1 + recipe.number % 4094;
  if (tags == Tags::qinq) frame.u32(dot1ad | outer);
  if (tags == Tags::stacked) frame.u32(dot1q | outer);
  if (tags != Tags::none) frame.u32(dot1q | (1 + recipe.number * 7 % 4094));
}

FrameBuilder ipv4_frame(Recipe& recipe, unsigned size, Tags tags = Tags::none) {
  const auto flow = pick_flow(recipe);
  FrameBuilder frame;
  frame.mac_addresses(0);
  put_tags(frame, recipe, tags);
  frame.u16(0x0800);
  const auto ip_offset = static_cast<unsigned>(frame.size());
  frame.ipv4(size - ip_offset, protocol_udp, flow.from, flow.to);
  const auto udp_length = size - static_cast<unsigned>(frame.size());
  const auto pseudo = frame.sum16(ip_offset + 12, ip_offset + 20) + protocol_udp + udp_length;
  frame.udp(udp_length, flow.from_port, flow.to_port);
  finish(frame, recipe, size);
  frame.finish_udp(ip_offset + ipv4_bytes, pseudo);
  return frame;
}

FrameBuilder ipv6_frame(Recipe& recipe, unsigned size) {
  const auto flow = pick_flow(recipe);
  FrameBuilder frame;
  frame.mac_addresses(0);
  frame.u16(0x86dd);
  const auto udp_length = size - ethernet_bytes - ipv6_bytes;
  frame.ipv6(udp_length, protocol_udp, flow.from, flow.to);
  const auto pseudo = frame.sum16(ethernet_bytes + 8, ethernet_bytes + ipv6_bytes) + protocol_udp + udp_length;
  frame.udp(udp_length, flow.from_port, flow.to_port);
  finish(frame, recipe, size);
  frame.finish_udp(ethernet_bytes + ipv6_bytes, pseudo);
  return frame;
}

// An IPv4 or IPv6 header that promises no payload.
FrameBuilder bare_ip_frame(Recipe& recipe, bool six) {
  constexpr unsigned no_next_header = 59, experiment = 253;  // RFC 8200 4.7, RFC 3692
  const auto flow = pick_flow(recipe);
  FrameBuilder frame;
  frame.mac_addresses(recipe.number);
  frame.u16(six ? 0x86dd : 0x0800);
  if (six)
    frame.ipv6(0, no_next_header, flow.from, flow.to);
  else
    frame.ipv4(ipv4_bytes, experiment, flow.from, flow.to);
  return frame;
}

// Any length from 1: Ethernet of an experimental type as far as it goes, UDP once there is room for it.
FrameBuilder frame_of(Recipe& recipe, unsigned size) {
  constexpr unsigned local_experimental = 0x88b5;  // IEEE 802, EtherType 1
  if (size >= ipv4_udp_bytes) return ipv4_frame(recipe, size);
  if (size >= ethernet_bytes) return raw_frame(recipe, local_experimental, size);
  FrameBuilder frame;
  frame.fill(size, recipe.seed);
  return frame;
}

unsigned imix_size(Random& random) {
  const auto part = random.below(12);
  return part < 7 ? 60 : part < 11 ? 590 : 1514;
}

unsigned caida_size(Random& random) {
  const auto percent = random.below(100);
  if (percent < 41) return random.between(60, 84);
  if (percent < 49) return random.between(85, 575);
  if (percent < 58) return random.between(576, 1300);
  return 1514;
}

FrameBuilder imix_frame(Recipe& recipe) { return ipv4_frame(recipe, imix_size(recipe.random)); }
FrameBuilder caida_frame(Recipe& recipe) { return ipv4_frame(recipe, caida_size(recipe.random)); }

FrameBuilder jumbo_frame(Recipe& recipe) {
  return ipv4_frame(recipe, recipe.random.below(2) == 0 ? 9014 : recipe.random.between(1515, 9013));
}

// A packet socket takes 4 bytes more than MTU and Ethernet header for a frame of type 802.1Q, and for no other type.
FrameBuilder vlan_frame(Recipe& recipe) { return ipv4_frame(recipe, imix_size(recipe.random) + 4, Tags::vlan); }

FrameBuilder two_tags_frame(Recipe& recipe, Tags tags) {
  return ipv4_frame(recipe, std::min(imix_size(recipe.random) + 8, 1514u), tags);
}
FrameBuilder qinq_frame(Recipe& recipe) { return two_tags_frame(recipe, Tags::qinq); }
FrameBuilder stacked_frame(Recipe& recipe) { return two_tags_frame(recipe, Tags::stacked); }

FrameBuilder empty_frame(Recipe& recipe) {
  switch (recipe.random.below(4)) {
    case 0:
      return raw_frame(recipe, 0x88b5, ethernet_bytes);
    case 1:
      return bare_ip_frame(recipe, false);
    case 2:
      return ipv4_frame(recipe, ipv4_udp_bytes);
    default:
      return bare_ip_frame(recipe, true);
  }
}

FrameBuilder lengths_frame(Recipe& recipe) { return frame_of(recipe, 1 + static_cast<unsigned>(recipe.number % 1514)); }

FrameBuilder non_ip_frame(Recipe& recipe) {
  constexpr std::array<unsigned, 6> ether_types = {0x0806, 0x88cc, 0x8847, 0x88b5, 0x88b6, 0};
  const auto size = recipe.random.between(ethernet_bytes, 1514);
  const auto type = ether_types[recipe.random.below(ether_types.size())];
  return raw_frame(recipe, type == 0 ? size - ethernet_bytes : type, size);  // 0: IEEE 802.3 length field
}

FrameBuilder ipv6_mix_frame(Recipe& recipe) {
  return ipv6_frame(recipe, std::max(imix_size(recipe.random), ipv6_udp_bytes + 2 * number_bytes));
}

using MakeFrame = FrameBuilder (*)(Recipe&);

FrameBuilder mixed_frame(Recipe& recipe) {
  constexpr std::array<MakeFrame, 6> kinds = {imix_frame,  vlan_frame,   stacked_frame,
                                              empty_frame, non_ip_frame, ipv6_mix_frame};
  return kinds[recipe.random.below(kinds.size())](recipe);
}

const std::map<std::string, MakeFrame>& kinds() {
  static const std::map<std::string, MakeFrame> table = {
      {"imix", imix_frame},     {"caida", caida_frame},     {"jumbo", jumbo_frame}, {"vlan", vlan_frame},
      {"qinq", qinq_frame},     {"stacked", stacked_frame}, {"empty", empty_frame}, {"lengths", lengths_frame},
      {"non-ip", non_ip_frame}, {"ipv6", ipv6_mix_frame},   {"mixed", mixed_frame}};
  return table;
}

std::optional<unsigned> fixed_size(const std::string& kind) {
  unsigned size = 0;
  const auto* end = kind.data() + kind.size();
  const auto result = std::from_chars(kind.data(), end, size);
  if (result.ec != std::errc() || result.ptr != end || size == 0 || size > 65535) return std::nullopt;
  return size;
}

FrameBuilder make_frame(const std::string& kind, Recipe& recipe) {
  if (const auto size = fixed_size(kind)) return frame_of(recipe, *size);
  const auto found = kinds().find(kind);
  if (found == kinds().end()) throw std::runtime_error("no such kind of trace: " + kind);
  return found->second(recipe);
}

}  // namespace

std::vector<std::string> trace_kinds() {
  std::vector<std::string> names;
  for (const auto& [name, make] : kinds()) names.push_back(name);
  return names;
}

bool valid_trace_kind(const std::string& kind) { return fixed_size(kind) || kinds().contains(kind); }

Trace make_trace(const TraceSpec& spec) {
  Random random(spec.seed);
  Trace trace;
  auto time = spec.start;
  for (std::uint64_t i = 0; i < spec.packets; ++i) {
    const auto number = spec.first_number + i;
    Recipe recipe{number, Random(spec.seed ^ (number * 0xd1342543de82ef95)).next(), spec.flows, random};
    auto frame = make_frame(spec.kind, recipe);
    frame.fill(std::max<std::size_t>(frame.size(), spec.min_bytes), recipe.seed);
    trace.append(time, frame.bytes(), static_cast<std::uint32_t>(frame.size()));
    time.ns += random.between(1, 2000);
  }
  return trace;
}

}  // namespace wirespool::test
