// SPDX-License-Identifier: BSD-3-Clause
#include "format/live_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "format/bytes.hpp"
#include "format/crc32c.hpp"

namespace wirespool::format {
namespace {

constexpr std::array<char, 8> magic{'W', 'S', 'P', 'L', 'I', 'V', 'E', '\0'};
constexpr std::uint16_t version = 1;

struct LiveHeader {
  std::array<char, 8> magic;
  std::uint16_t version;
  std::uint16_t entry_bytes;
  std::uint32_t entries;
  std::uint64_t start;
  std::uint64_t flush_age_ns;
  std::uint64_t sealed_files;
  std::uint64_t sealed_bytes;
  std::array<std::byte, 12> reserved;
  std::uint32_t checksum;
};
static_assert(sizeof(LiveHeader) == 64 && offsetof(LiveHeader, checksum) == 60);

struct LiveEntry {
  std::uint64_t stored_bytes;
  std::uint64_t record_at;
  std::uint64_t stored_packets;
  std::uint64_t inode;
  std::uint32_t writer;
  std::uint32_t lane;
  std::array<char, 152> name;  // ends with zeros
};
static_assert(sizeof(LiveEntry) == 192);

std::uint32_t checksum_of(std::span<const std::byte> bytes) {
  const auto head = crc32c(bytes.first(offsetof(LiveHeader, checksum)));
  return crc32c(bytes.subspan(sizeof(LiveHeader)), head);
}

LiveEntry entry_of(const OpenFile& file) {
  LiveEntry entry{file.stored_bytes, file.record_at, file.stored_packets, file.inode, file.writer, file.lane, {}};
  file.name.copy(entry.name.data(), entry.name.size() - 1);
  return entry;
}

OpenFile file_of(const LiveEntry& entry) {
  const auto end = std::ranges::find(entry.name, '\0');
  return {std::string(entry.name.begin(), end),
          entry.inode,
          entry.stored_bytes,
          entry.record_at,
          entry.stored_packets,
          entry.writer,
          entry.lane};
}

}  // namespace

std::size_t live_file_bytes(std::size_t files) { return sizeof(LiveHeader) + files * sizeof(LiveEntry); }

std::vector<std::byte> encode_live_file(const LiveFile& live) {
  std::vector<std::byte> bytes(live_file_bytes(live.files.size()));
  LiveHeader header{magic,
                    version,
                    sizeof(LiveEntry),
                    static_cast<std::uint32_t>(live.files.size()),
                    live.start.ns,
                    live.flush_age_ns,
                    live.sealed_files,
                    live.sealed_bytes,
                    {},
                    0};
  auto* at = bytes.data() + sizeof header;
  for (const auto& file : live.files) {
    const auto entry = entry_of(file);
    std::memcpy(at, &entry, sizeof entry);
    at += sizeof entry;
  }
  std::memcpy(bytes.data(), &header, sizeof header);
  header.checksum = checksum_of(bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::expected<LiveFile, std::string> decode_live_file(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(LiveHeader)) return std::unexpected("it is too short");
  const auto header = load<LiveHeader>(bytes);
  if (header.magic != magic) return std::unexpected("it is no live file");
  if (header.version != version || header.entry_bytes != sizeof(LiveEntry))
    return std::unexpected("it is of a newer version");
  const auto whole = sizeof header + std::uint64_t{header.entries} * sizeof(LiveEntry);
  if (whole > bytes.size()) return std::unexpected("it is too short");
  bytes = bytes.first(static_cast<std::size_t>(whole));  // there may be more of an earlier, longer one
  if (checksum_of(bytes) != header.checksum) return std::unexpected("its checksum is not that of its content");
  LiveFile live{Timestamp{header.start}, header.flush_age_ns, header.sealed_files, header.sealed_bytes, {}};
  for (auto at = sizeof header; at < bytes.size(); at += sizeof(LiveEntry))
    live.files.push_back(file_of(load<LiveEntry>(bytes, at)));
  return live;
}

}  // namespace wirespool::format
