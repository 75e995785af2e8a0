// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// What the sidecar index knows of one stretch of a file: the records that START in one Block, that is the bytes
// [first_record, the next entry's first_record), and for the last entry up to the end of the file. Times are the
// earliest and the latest of these records: those of the first and the last one where times never decrease.
struct IndexEntry {
  std::uint64_t first_record = 0;  // byte offset in the pcap file of the first record's header
  Timestamp first;
  Timestamp last;
  std::uint32_t packets = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the stretch's bytes; see IndexHeader::has_checksum()
};
static_assert(sizeof(IndexEntry) == 32);

// A bound on the error of a file's packet times against UTC, as known to the capture while it wrote them. The words are
// those of a ledger line's `clock`, of eight characters at most.
struct FileClock {
  std::string source;                     // what stamps packets; empty: nothing is known of the clock
  std::string discipline;                 // who keeps the system's clock on UTC; empty: not known
  std::optional<std::uint64_t> error_ns;  // nullopt: not known, which is not 0
  bool operator==(const FileClock&) const = default;
};

// Most entries a writer keeps for a file while it is open; a file of more Blocks gets coarser entries.
inline constexpr std::uint64_t max_open_index_entries = 16384;

// Most bytes of filters it keeps for a file that grows to this length. Blocks beyond them may hold anything.
constexpr std::uint64_t filter_bytes_of(std::uint64_t file_bytes) {
  constexpr std::uint64_t most = 64 << 20;
  return file_bytes / 64 < most ? file_bytes / 64 : most;
}

}  // namespace wirespool::format
