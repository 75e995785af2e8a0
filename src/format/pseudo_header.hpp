// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wirespool::format {

// Some link types begin with a header that a kernel wrote in its own byte order: that of the file, as the file's
// headers show. Whoever hands such a packet on in a file of the other order has to turn those fields; libpcap does it
// when it reads, for what is in tcpdump.org's list of link types.
bool has_pseudo_header(std::uint32_t linktype) noexcept;

// Turns them, as far as they are there: a packet may be cut anywhere.
void swap_pseudo_header(std::uint32_t linktype, std::span<std::byte> packet) noexcept;

}  // namespace wirespool::format
