// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace wirespool::format {

// Room in front of each Block for the head of the record it continues: a 64 KiB frame and its record header. 68 KiB, a
// multiple of 4096, so that the data behind it stays aligned.
inline constexpr std::uint32_t carry_capacity = 69632;

}  // namespace wirespool::format
