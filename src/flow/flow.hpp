// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "format/flow_record.hpp"

namespace wirespool::flow {

// What makes packets of both directions one flow: addresses, ports, protocol and the two outermost VLAN tags. The end
// that sorts first stands first, whoever sent.
struct alignas(16) FlowKey {
  std::array<std::uint64_t, 2> low{}, high{};  // addresses as they lie in a packet; IPv4: the first four bytes
  std::uint16_t low_port = 0, high_port = 0;
  std::array<std::uint16_t, 2> vlan{};
  std::uint8_t version = 0, protocol = 0;
  std::uint8_t has_ports = 0, one_way = 0;
  std::uint32_t unused = 0;

  bool operator==(const FlowKey& other) const noexcept {
    const auto differ =
        (low[0] ^ other.low[0]) | (low[1] ^ other.low[1]) | (high[0] ^ other.high[0]) | (high[1] ^ other.high[1]);
    const auto mine = rest(), others = other.rest();
    return (differ | (mine[0] ^ others[0]) | (mine[1] ^ others[1])) == 0;
  }
  std::uint64_t hash(std::uint64_t seed) const noexcept;

  // All behind the addresses.
  std::array<std::uint64_t, 2> rest() const noexcept {
    std::array<std::uint64_t, 2> words;
    std::memcpy(&words, reinterpret_cast<const std::byte*>(this) + 2 * sizeof low, sizeof words);
    return words;
  }
};
static_assert(sizeof(FlowKey) == 48);

// A packet as the table sees it.
struct FlowPacket {
  FlowKey key;
  std::uint64_t time_ns = 0;
  std::uint64_t before = 0;  // the table's answer: how many frame bytes of its flow came earlier
  std::uint32_t ip_bytes = 0;
  std::uint32_t wirelen = 0;
  std::uint16_t headers = 0;  // bytes of the frame up to what TCP, UDP, ... carry
  std::uint16_t port = 0;
  std::uint8_t tcp_flags = 0;
  std::uint8_t from_high = 0;  // the end that sorts second sent it
};

namespace tcp {
inline constexpr std::uint8_t fin = 1, syn = 2, rst = 4, ack = 16;
}

// Reads the packet out of its frame: everything but time_ns and port. False: it is not IP, and `headers` alone is set.
bool read_packet(std::span<const std::byte> frame, std::uint32_t wirelen, FlowPacket& packet) noexcept;

// A flow in the table: two cache lines, the first of which a packet seldom changes.
struct alignas(64) Flow {
  FlowKey key;
  std::uint64_t first_ns = 0;  // of the record that is open
  std::uint16_t port = 0;
  std::uint8_t from_high = 0;  // the end that sorts second sent the first packet
  std::uint8_t fins = 0;       // of the whole flow: which directions have ended (bits 0 and 1)
  format::FlowEnd end{};       // set when the record ends

  alignas(64) std::uint64_t last_ns = 0;
  std::array<std::uint64_t, 2> packets{}, bytes{};  // by direction, that of the first packet first
  std::uint64_t frame_bytes = 0;                    // of the whole flow, over all its records
  std::array<std::uint8_t, 2> tcp_flags{};
};
static_assert(sizeof(Flow) == 128);

format::FlowRecord record_of(const Flow& flow) noexcept;

}  // namespace wirespool::flow
