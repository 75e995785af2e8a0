// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// A SpoolFile that is being written, as its capture tells readers of it.
struct OpenFile {
  std::string name;                  // hidden, in the directory of the live file
  std::uint64_t inode = 0;           // by which it is known again when it has its own name
  std::uint64_t stored_bytes = 0;    // from its front on, on the drive and final; may end within a record
  std::uint64_t record_at = 0;       // a record begins there, or they end; at most stored_bytes; 0: not known yet
  std::uint64_t stored_packets = 0;  // at least those of stored_bytes
  std::uint32_t writer = 0;          // the WW of its names
  std::uint32_t lane = 0;            // of that writer: the files of one lane follow each other in time

  bool operator==(const OpenFile&) const = default;
};

// `.STEM.live`: what a running capture tells readers of its open files in one directory (README.md). Its capture holds
// an flock(2) on it: without that it is left over from a capture that did not come to its end, and says nothing.
struct LiveFile {
  Timestamp start;                 // of the capture
  std::uint64_t flush_age_ns = 0;  // a packet is stored so long after it came, when no drive is behind
  std::uint64_t sealed_files = 0;  // since the start, in this directory
  std::uint64_t sealed_bytes = 0;  // of those
  std::vector<OpenFile> files;     // those of which anything is stored

  bool operator==(const LiveFile&) const = default;
};

inline constexpr std::size_t largest_live_file = 4 << 20;  // a reader takes no longer one

std::size_t live_file_bytes(std::size_t files);
std::vector<std::byte> encode_live_file(const LiveFile& live);

// Why it is none: it is cut, damaged or newer. One that is just being written is damaged: read it again.
std::expected<LiveFile, std::string> decode_live_file(std::span<const std::byte> bytes);

}  // namespace wirespool::format
