// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "traffic/payload_head.hpp"
#include "traffic/request.hpp"
#include "traffic/wire.hpp"

namespace wirespool::traffic {

inline constexpr std::size_t header_bytes = 14 + 20 + 8;  // Ethernet, IPv4, UDP
inline constexpr std::size_t tag_bytes = 4;

// Makes the frames of a sender: Ethernet, perhaps an 802.1Q tag, IPv4 (TTL 64, RFC 791), UDP without a checksum (RFC
// 768: zero). Packet n of a run belongs to flow n / burst modulo the number of flows, so that a burst is of one flow.
class FrameMaker {
 public:
  struct Shape {
    unsigned burst = 1;
    bool headers = true;  // else payloads for a UDP socket
    bool pattern = false;
    std::uint16_t run = 0;
  };
  FrameMaker(const Ends& ends, const SizeMix& sizes, const Shape& shape);

  // Makes packets `first`, `first` + 1, ... of the run, one a Slot.
  void make(std::span<Slot> slots, std::uint64_t first, std::uint64_t intended_ns, bool warm_up) noexcept;

 private:
  struct Header {
    std::array<std::byte, header_bytes + tag_bytes> bytes{};
    std::uint32_t slot_bytes = 0;  // of the whole frame, or of the payload alone
  };
  Header header_for(const Ends& ends, std::uint32_t frame_bytes) const;

  Shape shape_;
  std::size_t header_bytes_ = 0;  // in front of the payload in a Slot
  std::size_t port_at_ = 0;       // the source port, in a frame
  std::uint16_t first_port_ = 0;
  unsigned flows_ = 1;
  std::vector<Header> headers_;  // by length
  std::vector<std::uint16_t> turn_;
};

// Looks whether a frame that came is meant for this end: addressed to it, in its VLAN, from the other end's address, to
// its UDP port.
class FrameCheck {
 public:
  // `headers`: Slots are frames; else the Wire has looked already.
  FrameCheck(const Ends& ends, bool headers);

  // The UDP payload; empty if it is not meant for this end, or shorter than a PayloadHead.
  std::span<std::byte> payload_of(const Slot& slot) const noexcept;

 private:
  static bool same(const std::byte* bytes, const auto& wanted) noexcept;
  Ends ends_;
  bool headers_;
  std::array<std::byte, 4> local_ip_, remote_ip_;
  std::uint16_t port_ = 0;
};

// Turns a frame that FrameCheck took around: MAC addresses, IP addresses and ports change places, which leaves
// checksums as they are.
void turn_around(std::span<std::byte> frame) noexcept;

// Puts the checksum of TCP or UDP into a frame of which the kernel left that to hardware (packet(7),
// TP_STATUS_CSUMNOTREADY). Others stay as they are.
void complete_checksum(std::span<std::byte> frame) noexcept;

}  // namespace wirespool::traffic
