// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wirespool::format {

// Packets of some link types begin with a header in the byte order of the kernel that wrote it, which is that of the
// file. Whoever writes such a packet into a file of the other order has to swap its fields; libpcap does so when it
// reads, for the link types in tcpdump.org's list.
bool has_pseudo_header(std::uint32_t linktype) noexcept;

// Swaps those fields that are there: a packet may be cut anywhere.
void swap_pseudo_header(std::uint32_t linktype, std::span<std::byte> packet) noexcept;

}  // namespace wirespool::format
