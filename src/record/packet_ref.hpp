// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "wirespool/timestamp.hpp"

namespace wirespool::record {

// A received packet where it lies: what crosses a Handoff, so that a writer lcore need not touch the mbuf's header
// (whose cache lines belong to the RX lcore). `owner` frees it, and means nothing to this room.
struct PacketRef {
  Timestamp stamp;
  const std::byte* head = nullptr;  // the first `head_bytes` of the frame, contiguous
  void* owner = nullptr;
  std::uint32_t wirelen = 0;
  std::uint32_t head_bytes = 0;  // less than wirelen: the rest, if there is one, is reached through ChainCopy
};
static_assert(sizeof(PacketRef) == 32 && std::is_trivially_copyable_v<PacketRef>);

// Copies [offset, offset + bytes) of a frame whose bytes are not contiguous (chained mbuf segments), as far as there
// are any: returns how many it copied. Fewer than asked for: a driver told a longer frame than it gave (net_pcap,
// frames over 64 KiB).
using ChainCopy = std::uint32_t (*)(const PacketRef& packet, std::uint32_t offset, std::byte* to,
                                    std::uint32_t bytes) noexcept;

}  // namespace wirespool::record
