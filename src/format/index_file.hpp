// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The sidecar index, `.idx` beside its pcap file. src/format/README.md has the layout with a worked example.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/index.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

enum class IndexLevel : std::uint8_t {
  time = 1,  // entries only
  flow = 2,  // and a KeySet for each
};

// By what the pcap file is recognised: its length can stay the same when everything else changes. Times as stat(2) has
// them, in nanoseconds since 1970 (modulo 2^64).
struct FileMark {
  std::uint64_t modified_ns = 0;  // mtime
  std::uint64_t changed_ns = 0;   // ctime
  std::uint64_t inode = 0;
  std::uint32_t fingerprint = 0;  // CRC-32C of pieces of its content
  bool operator==(const FileMark&) const = default;
};

// What an index says of the whole pcap file.
struct IndexHeader {
  IndexLevel level = IndexLevel::time;
  bool ordered = true;           // times never decrease from record to record
  std::uint64_t file_bytes = 0;  // length of the pcap file, its header included
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp first;          // earliest and latest packet; zero if there is none
  Timestamp last;
  std::uint32_t block_bytes = 0;  // of the Blocks that the entries stand for; 0: unknown
  std::uint32_t capture_mark = 0;
  std::optional<FileMark> mark;     // none: 0.1.0 wrote none, or it could not be made
  FileClock clock = {};             // from version 3 on
  bool checksums = false;           // every entry has one, and so do the bytes in front of the first record
  std::uint32_t head_checksum = 0;  // CRC-32C of those bytes: the pcap file's header

  // Up to version 2, each entry said by itself whether it had one: 0 was "not computed".
  bool has_checksum(const IndexEntry& entry) const { return checksums || entry.checksum != 0; }
};

// Tells captures of one name and directory apart, whatever their clocks did; never 0, which means "not known".
std::uint32_t capture_mark(Timestamp start);

// The flow level's part: one KeySet an entry, one after the other.
struct FilterSection {
  std::span<const std::uint32_t> lines;  // 32-byte lines of each entry's filter, a power of two; 0: may hold anything
  std::span<const std::byte> bytes;      // 32 bytes a line
};

// A decoded index.
struct Index {
  IndexHeader header;
  std::vector<IndexEntry> entries;
  std::vector<std::uint32_t> filter_lines;    // as many as entries, or none
  std::vector<std::uint64_t> filter_offsets;  // where each entry's filter begins in filter_bytes()
  std::vector<std::byte> file;                // the bytes it was decoded from
  std::size_t filters_begin = 0;              // in these

  std::span<const std::byte> filter_bytes() const { return std::span(file).subspan(filters_begin); }
};

// Why an index is not used. Each is a reason to ignore it, none a reason to fail.
enum class IndexProblem { not_an_index, newer_version, cut_short, damaged };
std::string to_string(IndexProblem problem);

inline constexpr std::size_t index_header_bytes = 80;
inline constexpr std::size_t index_head_bytes = index_header_bytes + 32 + 32;  // with the mark and the clock after it

// Writes the newest version, 3.
std::vector<std::byte> encode_index(const IndexHeader& header, std::span<const IndexEntry> entries,
                                    FilterSection filters = {});

// `bytes`: the first index_head_bytes of a file, or all of a shorter one; enough for a summary.
std::expected<IndexHeader, IndexProblem> decode_index_header(std::span<const std::byte> bytes);

// `file`: the whole file. Nothing is taken from it unless every checksum and every relation between its numbers holds.
// The Index keeps `file`: filters are large, and are not copied.
std::expected<Index, IndexProblem> decode_index(std::vector<std::byte> file);

}  // namespace wirespool::format
