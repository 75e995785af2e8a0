// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wirespool::format {

// CRC-32C (Castagnoli: reflected polynomial 0x82f63b78, as iSCSI uses it, RFC 7143 section 13.1), with the processor's
// own instruction (SSE4.2, ARMv8 CRC) where it has one (checked once). `previous` is the checksum of the bytes before:
// parts of a whole are summed one after the other, each continuing from the one before. Data path: no allocation after
// the first call of the process.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t previous = 0) noexcept;

// The checksum of two stretches that follow each other, from those of each and the length of the second. Takes some
// hundred instructions for each bit set in that length. Data path, any thread.
std::uint32_t crc32c_join(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) noexcept;

// crc32c() by table, for processors without the instruction, and for the tests to compare with.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t previous = 0) noexcept;

}  // namespace wirespool::format
