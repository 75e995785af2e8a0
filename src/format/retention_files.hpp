// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The small files that say what is kept, what is gone and what is elsewhere: FILE.keep, STEM-<start>.removed.json and
// STEM-<start>.archived.json. README.md has each with an example.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/json_fields.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// Why a file is pinned. The name alone pins it, whatever the content.
struct Pin {
  Timestamp when;
  std::string who;                // user and machine
  std::string reason;             // may be empty
  std::optional<Timestamp> from;  // the packets it was pinned for: not before
  std::optional<Timestamp> to;    // and before
  std::string filter = {};        // pcap-filter(7); empty: any
  OtherFields others = {};

  bool operator==(const Pin&) const = default;
};
std::string encode_pin(const Pin& pin);  // with a newline
std::expected<Pin, std::string> decode_pin(std::string_view text);

// All that retention has removed of one capture in one directory.
struct Removed {
  std::uint64_t files = 0, packets = 0, bytes = 0;  // bytes of packets
  std::uint64_t file_bytes = 0;
  Timestamp last;  // the latest packet removed
  OtherFields others = {};

  Removed& operator+=(const Removed& more);  // `others` stay
  bool operator==(const Removed&) const = default;
};
std::string encode_removed(const Removed& removed);  // with a newline
std::expected<Removed, std::string> decode_removed(std::string_view text);

// Where files of one capture are now that were in one directory: directories of archives, absolute paths.
struct Archived {
  std::vector<std::string> directories = {};
  OtherFields others = {};

  bool operator==(const Archived&) const = default;
};
std::string encode_archived(const Archived& archived);  // with a newline
std::expected<Archived, std::string> decode_archived(std::string_view text);

}  // namespace wirespool::format
