// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/frames.hpp"

#include <algorithm>
#include <cstring>

#include "format/layers.hpp"
#include "format/protocols.hpp"

namespace wirespool::traffic {
namespace {

constexpr std::size_t mac_bytes = 6, type_at = 12, ip_bytes = 20, udp_bytes = 8;
constexpr std::uint16_t vlan_type = 0x8100;

void put16(std::byte* at, std::uint32_t value) noexcept {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value);
}
void put32(std::byte* at, std::uint32_t value) noexcept {
  put16(at, value >> 16);
  put16(at + 2, value);
}
std::uint16_t get16(const std::byte* at) noexcept {
  return static_cast<std::uint16_t>(static_cast<unsigned>(at[0]) << 8 | static_cast<unsigned>(at[1]));
}

// RFC 1071, not folded.
std::uint64_t sum_of(std::span<const std::byte> bytes) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes.data() + i);
  if (bytes.size() % 2 != 0) sum += static_cast<unsigned>(bytes.back()) << 8;
  return sum;
}
std::uint16_t folded(std::uint64_t sum) noexcept {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void put_ipv4(std::byte* ip, const Ends& ends, std::uint32_t bytes) noexcept {
  put16(ip, 0x4500);
  put16(ip + 2, bytes);
  put32(ip + 4, 0);
  put16(ip + 8, 64u << 8 | format::protocols::udp);
  put16(ip + 10, 0);
  put32(ip + 12, ends.local_ip);
  put32(ip + 16, ends.remote_ip);
  put16(ip + 10, folded(sum_of({ip, ip_bytes})));
}

// Where IPv4 begins in a frame with at most one tag.
std::size_t ip_at(const std::byte* frame) noexcept {
  return get16(frame + type_at) == vlan_type ? type_at + 2 + tag_bytes : type_at + 2;
}

}  // namespace

void fill_pattern(std::span<std::byte> payload, const PayloadHead& head) noexcept {
  for (std::size_t i = PayloadHead::bytes; i < payload.size(); ++i) payload[i] = pattern_at(head, i);
}

bool has_pattern(std::span<const std::byte> payload, const PayloadHead& head) noexcept {
  for (std::size_t i = PayloadHead::bytes; i < payload.size(); ++i) {
    if (payload[i] != pattern_at(head, i)) return false;
  }
  return true;
}

FrameMaker::FrameMaker(const Ends& ends, const SizeMix& sizes, const Shape& shape)
    : shape_(shape), first_port_(ends.local_port), flows_(ends.flows), turn_(sizes.turn()) {
  const std::size_t in_frame = header_bytes + (ends.vlan ? tag_bytes : 0);
  header_bytes_ = shape.headers ? in_frame : 0;
  port_at_ = in_frame - udp_bytes;
  for (const auto length : sizes.lengths()) headers_.push_back(header_for(ends, length));
}

FrameMaker::Header FrameMaker::header_for(const Ends& ends, std::uint32_t frame_bytes) const {
  Header header;
  const std::size_t in_frame = header_bytes + (ends.vlan ? tag_bytes : 0);
  header.slot_bytes = static_cast<std::uint32_t>(frame_bytes - (shape_.headers ? 0 : in_frame));
  auto* frame = header.bytes.data();
  std::ranges::copy(ends.remote_mac.value_or(Mac{}), frame);
  std::ranges::copy(ends.local_mac.value_or(Mac{}), frame + mac_bytes);
  auto* type = frame + type_at;
  if (ends.vlan) {
    put16(type, vlan_type);
    put16(type + 2, *ends.vlan);
    type += tag_bytes;
  }
  put16(type, format::ether_types::ipv4);
  auto* ip = type + 2;
  const auto ip_length = static_cast<std::uint32_t>(frame_bytes - static_cast<std::size_t>(ip - frame));
  put_ipv4(ip, ends, ip_length);
  auto* udp = ip + ip_bytes;
  put16(udp, ends.local_port);
  put16(udp + 2, ends.remote_port);
  put16(udp + 4, static_cast<std::uint32_t>(ip_length - ip_bytes));
  put16(udp + 6, 0);
  return header;
}

void FrameMaker::make(std::span<Slot> slots, std::uint64_t first, std::uint64_t intended_ns, bool warm_up) noexcept {
  const std::uint64_t turns = first / shape_.burst;
  auto in_burst = static_cast<unsigned>(first % shape_.burst);
  auto flow = static_cast<unsigned>(turns % flows_);
  std::uint64_t burst_of_flow = turns / flows_;
  std::size_t at = first % turn_.size();
  for (auto& slot : slots) {
    const auto& header = headers_[turn_[at]];
    if (++at == turn_.size()) at = 0;
    if (shape_.headers) {
      std::memcpy(slot.data, header.bytes.data(), header.bytes.size());
      put16(slot.data + port_at_, first_port_ + flow);
    }
    slot.bytes = header.slot_bytes;
    slot.flow = static_cast<std::uint16_t>(flow);
    slot.warm_up = warm_up;
    const PayloadHead head{intended_ns, burst_of_flow * shape_.burst + in_burst, shape_.run, slot.flow, warm_up};
    head.store(slot.data + header_bytes_);
    if (shape_.pattern) fill_pattern({slot.data + header_bytes_, slot.bytes - header_bytes_}, head);
    if (++in_burst < shape_.burst) continue;
    in_burst = 0;
    if (++flow < flows_) continue;
    flow = 0;
    ++burst_of_flow;
  }
}

FrameCheck::FrameCheck(const Ends& ends, bool headers) : ends_(ends), headers_(headers), port_(ends.local_port) {
  put32(local_ip_.data(), ends.local_ip);
  put32(remote_ip_.data(), ends.remote_ip);
}

bool FrameCheck::same(const std::byte* bytes, const auto& wanted) noexcept {
  return std::memcmp(bytes, wanted.data(), wanted.size()) == 0;
}

std::span<std::byte> FrameCheck::payload_of(const Slot& slot) const noexcept {
  if (!headers_) return slot.bytes < PayloadHead::bytes ? std::span<std::byte>() : std::span(slot.data, slot.bytes);
  const std::size_t ip = type_at + 2 + (ends_.vlan ? tag_bytes : 0);
  const auto* frame = slot.data;
  if (slot.bytes < ip + ip_bytes + udp_bytes + PayloadHead::bytes) return {};
  if (ends_.local_mac && !same(frame, *ends_.local_mac)) return {};
  if (ends_.vlan && (get16(frame + type_at) != vlan_type || (get16(frame + type_at + 2) & 0xfff) != *ends_.vlan))
    return {};
  if (get16(frame + ip - 2) != format::ether_types::ipv4 || frame[ip] != std::byte{0x45}) return {};
  if (frame[ip + 9] != std::byte{format::protocols::udp} || !same(frame + ip + 16, local_ip_)) return {};
  if (!same(frame + ip + 12, remote_ip_)) return {};
  const std::uint32_t to = get16(frame + ip + ip_bytes + 2);
  if (to < port_ || to >= port_ + ends_.flows) return {};
  const std::size_t whole = get16(frame + ip + 2);  // Ethernet may have padded it
  if (whole < ip_bytes + udp_bytes + PayloadHead::bytes || ip + whole > slot.bytes) return {};
  return {slot.data + ip + ip_bytes + udp_bytes, whole - ip_bytes - udp_bytes};
}

void turn_around(std::span<std::byte> frame) noexcept {
  auto* bytes = frame.data();
  std::swap_ranges(bytes, bytes + mac_bytes, bytes + mac_bytes);
  auto* ip = bytes + ip_at(bytes);
  std::swap_ranges(ip + 12, ip + 16, ip + 16);
  auto* udp = ip + ip_bytes;
  std::swap_ranges(udp, udp + 2, udp + 2);
}

void complete_checksum(std::span<std::byte> frame) noexcept {
  const auto layers = format::find_layers(frame, static_cast<std::uint32_t>(frame.size()));
  const bool tcp = layers.protocol == format::protocols::tcp, udp = layers.protocol == format::protocols::udp;
  if (layers.transport == 0 || !(tcp || udp)) return;
  const std::size_t end = std::min<std::size_t>(frame.size(), layers.network + layers.ip_bytes);
  const std::size_t place = layers.transport + (tcp ? 16u : 6u);
  if (end < place + 2) return;
  put16(frame.data() + place, 0);
  const auto segment = frame.subspan(layers.transport, end - layers.transport);
  const auto addresses =
      layers.version == 4 ? frame.subspan(layers.network + 12u, 8) : frame.subspan(layers.network + 8u, 32);
  const auto sum = folded(sum_of(addresses) + layers.protocol + segment.size() + sum_of(segment));
  put16(frame.data() + place, sum == 0 && udp ? 0xffff : sum);
}

}  // namespace wirespool::traffic
