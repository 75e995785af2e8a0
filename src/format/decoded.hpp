// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "wirespool/packet.hpp"

namespace wirespool::format {

// What lies at the front of a window of a capture file.
struct Decoded {
  enum class Kind {
    packet,   // `packet` and `linktype` are set
    other,    // something else than a packet; it may reach beyond the window
    more,     // the window must hold at least `bytes` to tell
    damaged,  // no record can begin here: `why` tells
  };
  Kind kind = Kind::damaged;
  std::uint64_t bytes = 0;  // that it takes, or that are needed
  PacketView packet;
  std::uint32_t linktype = 0;
  const char* why = "";

  static Decoded need(std::uint64_t bytes) { return {Kind::more, bytes, {}, 0, ""}; }
  static Decoded skip(std::uint64_t bytes) { return {Kind::other, bytes, {}, 0, ""}; }
  static Decoded broken(const char* why) { return {Kind::damaged, 0, {}, 0, why}; }
};

}  // namespace wirespool::format
