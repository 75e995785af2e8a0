// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wirespool::format {

// CRC-32C (Castagnoli: reflected polynomial 0x82f63b78, as iSCSI uses it, RFC 7143 section 13.1), with the processor's
// own instruction where there is one. `previous` continues the checksum of the bytes before: the checksum of a whole is
// that of its last part continued from that of the rest. Data path: no allocation after the first call of the process.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t previous = 0) noexcept;

// The same by table, for processors without the instruction, and for the tests to compare with.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t previous = 0) noexcept;

}  // namespace wirespool::format
