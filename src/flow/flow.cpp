// SPDX-License-Identifier: BSD-3-Clause
#include "flow/flow.hpp"

#include <algorithm>
#include <utility>

#include "format/bytes.hpp"
#include "format/flow_key.hpp"
#include "format/layers.hpp"
#include "format/protocols.hpp"

namespace wirespool::flow {
namespace {

using Frame = std::span<const std::byte>;

// XORs the two halves of a 128-bit product, in which each bit depends on all lower bits of the factors.
__extension__ using Wide = unsigned __int128;
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint8_t byte_at(Frame frame, std::size_t offset) noexcept { return static_cast<std::uint8_t>(frame[offset]); }

bool is_icmp(std::uint8_t protocol) noexcept {
  return protocol == format::protocols::icmp || protocol == format::protocols::icmp6;
}

// Source in low, destination in high.
void read_addresses(Frame frame, const format::Layers& layers, FlowKey& key) noexcept {
  if (layers.version == 4) {
    key.low = {format::load<std::uint32_t>(frame, layers.network + 12u), 0};
    key.high = {format::load<std::uint32_t>(frame, layers.network + 16u), 0};
    return;
  }
  std::memcpy(&key.low, &frame[layers.network + 8u], sizeof key.low);
  std::memcpy(&key.high, &frame[layers.network + 24u], sizeof key.high);
}

void read_ports(Frame frame, const format::Layers& layers, FlowKey& key) noexcept {
  if (format::has_ports(layers.protocol)) {
    key.low_port = format::load_be16(frame, layers.transport);
    key.high_port = format::load_be16(frame, layers.transport + 2u);
    key.has_ports = 1;
  } else if (is_icmp(layers.protocol)) {
    const auto ports =
        format::icmp_ports(layers.protocol, byte_at(frame, layers.transport), byte_at(frame, layers.transport + 1u));
    key.low_port = ports.source;
    key.high_port = ports.destination;
    key.has_ports = 1;
    key.one_way = ports.one_way;
  }
}

// True if the ends had to be swapped.
bool sort_ends(FlowKey& key) noexcept {
  if (key.low < key.high || (key.low == key.high && key.low_port <= key.high_port)) return false;
  std::swap(key.low, key.high);
  std::swap(key.low_port, key.high_port);
  return true;
}

}  // namespace

std::uint64_t FlowKey::hash(std::uint64_t seed) const noexcept {
  constexpr std::uint64_t a = 0x9e3779b97f4a7c15, b = 0xbf58476d1ce4e5b9, c = 0x94d049bb133111eb;
  const auto addresses = fold(low[0] ^ seed, high[0] ^ a) ^ fold(low[1] ^ b, high[1] ^ ~seed);
  return fold(addresses ^ rest()[0] ^ c, rest()[1] ^ seed ^ b);
}

bool read_packet(Frame frame, std::uint32_t wirelen, FlowPacket& packet) noexcept {
  const auto layers = format::find_layers(frame, wirelen);
  packet.headers = layers.end;
  packet.wirelen = wirelen;
  if (!layers.is_ip()) return false;
  packet.key = {.vlan = layers.vlan, .version = layers.version, .protocol = layers.protocol};
  read_addresses(frame, layers, packet.key);
  packet.tcp_flags = 0;
  if (layers.transport) {
    read_ports(frame, layers, packet.key);
    if (layers.protocol == format::protocols::tcp) packet.tcp_flags = byte_at(frame, layers.transport + 13u);
  }
  packet.from_high = sort_ends(packet.key);
  if (packet.key.one_way) packet.key.one_way = static_cast<std::uint8_t>(1 + packet.from_high);  // each way is a flow
  packet.ip_bytes = layers.ip_bytes;
  return true;
}

format::FlowRecord record_of(const Flow& flow) noexcept {
  const auto& key = flow.key;
  format::FlowRecord record{.first = {flow.first_ns},
                            .last = {flow.last_ns},
                            .ports = {key.low_port, key.high_port},
                            .vlan = key.vlan,
                            .packets = flow.packets,
                            .bytes = flow.bytes,
                            .tcp_flags = flow.tcp_flags,
                            .version = key.version,
                            .protocol = key.protocol,
                            .has_ports = key.has_ports != 0,
                            .one_way = key.one_way != 0,
                            .end = flow.end,
                            .port = flow.port};
  std::memcpy(&record.addresses[0], &key.low, sizeof key.low);
  std::memcpy(&record.addresses[1], &key.high, sizeof key.high);
  if (flow.from_high) {
    std::swap(record.addresses[0], record.addresses[1]);
    std::swap(record.ports[0], record.ports[1]);
  }
  return record;
}

}  // namespace wirespool::flow
