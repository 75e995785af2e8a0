// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "format/pcap.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::record {

// What readers of capture files, of either layout, believe a record may hold at most.
using format::max_snaplen;

// A received packet where it lies, and how much of it is kept: what crosses a Handoff, so that a writer lcore need not
// touch the mbuf's header (whose cache lines belong to the RX lcore).
struct PacketRef {
  // In `owner`: fewer than caplen bytes lie at `head`, ChainCopy has them all.
  static constexpr std::uintptr_t in_pieces = 1;

  Timestamp stamp;
  const std::byte* head = nullptr;  // where the frame begins
  std::uintptr_t owner = 0;         // frees it; but for `in_pieces` it means nothing to this room
  std::uint32_t wirelen = 0;
  std::uint32_t caplen = 0;  // bytes of the frame to be kept, at most wirelen and max_snaplen

  bool is_in_pieces() const noexcept { return (owner & in_pieces) != 0; }
};
static_assert(sizeof(PacketRef) == 32 && std::is_trivially_copyable_v<PacketRef>);

// Copies [offset, offset + bytes) of a frame that is in pieces (chained mbuf segments), as far as there are any:
// returns how many it copied. Fewer than asked for: a driver claimed a longer frame than it gave (net_pcap, frames over
// 64 KiB).
using ChainCopy = std::uint32_t (*)(const PacketRef& packet, std::uint32_t offset, std::byte* to,
                                    std::uint32_t bytes) noexcept;

}  // namespace wirespool::record
