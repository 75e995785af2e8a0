// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wirespool/timestamp.hpp"

namespace wirespool {

// One captured packet, seen in place: `bytes` belongs to whoever handed the view out.
struct PacketView {
  Timestamp time;
  std::uint32_t wirelen = 0;         // bytes on the wire, FCS not included
  std::span<const std::byte> bytes;  // the caplen bytes that were kept; caplen <= wirelen

  std::uint32_t caplen() const { return static_cast<std::uint32_t>(bytes.size()); }
};

}  // namespace wirespool
