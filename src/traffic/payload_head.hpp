// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace wirespool::traffic {

// The first 18 bytes of each payload, in the sender's byte order: what a frame of 64 bytes with a VLAN tag has room
// for.
//
//   bytes 0..7    when it was meant to be sent: nanoseconds of CLOCK_MONOTONIC
//   bytes 8..15   the upper 16 bits: the run; the lower 48: its number within its flow, from 0
//   bytes 16..17  the uppermost bit: sent to warm up, not counted; the others: the flow
//
// Receivers know by the run that a sender began anew. Behind it: zeros, or with --check-payload bytes that each follow
// from number, flow and place.
struct PayloadHead {
  static constexpr std::size_t bytes = 18;

  std::uint64_t intended_ns = 0;
  std::uint64_t number = 0;
  std::uint16_t run = 0;
  std::uint16_t flow = 0;
  bool warm_up = false;

  void store(std::byte* payload) const noexcept {
    const std::uint64_t run_and_number = std::uint64_t{run} << 48 | number;
    const auto flow_and_phase = static_cast<std::uint16_t>(flow | (warm_up ? 0x8000 : 0));
    std::memcpy(payload, &intended_ns, 8);
    std::memcpy(payload + 8, &run_and_number, 8);
    std::memcpy(payload + 16, &flow_and_phase, 2);
  }

  static PayloadHead load(const std::byte* payload) noexcept {
    std::uint64_t intended_ns, run_and_number;
    std::uint16_t flow_and_phase;
    std::memcpy(&intended_ns, payload, 8);
    std::memcpy(&run_and_number, payload + 8, 8);
    std::memcpy(&flow_and_phase, payload + 16, 2);
    return {intended_ns, run_and_number & 0xffff'ffff'ffff, static_cast<std::uint16_t>(run_and_number >> 48),
            static_cast<std::uint16_t>(flow_and_phase & 0x7fff), (flow_and_phase & 0x8000) != 0};
  }
};

// What stands behind the head with --check-payload, from byte PayloadHead::bytes of the payload on.
inline std::byte pattern_at(const PayloadHead& head, std::size_t place) noexcept {
  return static_cast<std::byte>(head.number * 7 + head.flow * 13 + place);
}
void fill_pattern(std::span<std::byte> payload, const PayloadHead& head) noexcept;
bool has_pattern(std::span<const std::byte> payload, const PayloadHead& head) noexcept;

}  // namespace wirespool::traffic
