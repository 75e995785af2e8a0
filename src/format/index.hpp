// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// What the sidecar index knows of one stretch of a file: the records that START in it, [first_record, the next entry's
// first_record). Times are those of the first and the last of these records.
struct IndexEntry {
  std::uint64_t first_record = 0;  // byte offset in the pcap file of the first record's header
  Timestamp first;
  Timestamp last;
  std::uint32_t packets = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(IndexEntry) == 32);

}  // namespace wirespool::format
