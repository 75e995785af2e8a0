// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "wirespool/error.hpp"

namespace wirespool::traffic {

// A frame, or a datagram's payload, in memory of a Wire.
struct Slot {
  std::byte* data = nullptr;
  std::uint32_t bytes = 0;
  std::uint16_t flow = 0;   // on the way out: which of the sender's UDP ports
  bool warm_up = false;     // it is to be in no other counter
  void* of_wire = nullptr;  // the Wire's own: where it came from, whose memory it is
};

inline constexpr std::size_t shortest_sent = 14;  // bytes of an Ethernet header

// One end of a link: frames out and in, a burst at a time. One thread may send while another receives; a thread that
// sends what it received does both. Nothing is allocated after it was made.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  virtual std::string name() const = 0;       // for messages: "veth0", "10.0.0.1:13994"
  virtual bool has_headers() const = 0;       // Slots are Ethernet frames; else payloads of UDP
  virtual std::uint32_t longest() const = 0;  // bytes of an Ethernet frame that fits, without FCS

  // Whether this frame can be sent as it is.
  virtual bool fits(std::span<const std::byte> frame) const noexcept {
    return frame.size() >= shortest_sent && frame.size() <= longest();
  }

  // At most `count` Slots to be filled and sent, each with room for longest(); valid until the next call. Fewer, or
  // none, if memory is short now. Sending thread.
  virtual std::span<Slot> room(unsigned count) noexcept = 0;

  // Sends in order; returns how many were taken. The rest may be offered again. Slots of room() or of a receive() of
  // this or another Wire of the same kind.
  virtual unsigned send(std::span<Slot> slots) noexcept = 0;

  // What has come, valid until the next call: at most a burst. A Slot without bytes is somebody else's packet.
  // Receiving thread.
  virtual std::span<Slot> receive() noexcept = 0;

  // What came and was lost at this end because nobody took it in time. nullopt: cannot be told. Any thread.
  virtual std::optional<std::uint64_t> missed() noexcept = 0;

  // Why this Wire is of no use any more. Any thread.
  virtual std::optional<Error> problem() const = 0;
};

}  // namespace wirespool::traffic
