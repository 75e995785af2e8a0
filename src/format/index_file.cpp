// SPDX-License-Identifier: BSD-3-Clause
#include "format/index_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "format/crc32c.hpp"
#include "format/pcap.hpp"

namespace wirespool::format {
namespace {

constexpr std::array<char, 8> index_magic{'W', 'S', 'P', 'I', 'N', 'D', 'E', 'X'};
constexpr std::uint16_t newest_version = 3;
constexpr std::uint16_t version_without_mark = 1;   // 0.1.0
constexpr std::uint16_t version_without_clock = 2;  // 0.2.0
constexpr std::uint8_t flag_ordered = 1;
constexpr std::uint8_t flag_checksums = 2;  // both from version 3 on
constexpr std::uint8_t flag_mark = 4;
constexpr std::size_t filter_line_bytes = 32;

// As it lies in the file, little-endian.
struct StoredHeader {
  std::array<char, 8> magic = index_magic;
  std::uint16_t version = newest_version;
  std::uint8_t level = 0;
  std::uint8_t flags = 0;
  std::uint32_t entries = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t body_bytes = 0;  // all that follows this header
  std::uint32_t block_bytes = 0;
  std::uint32_t body_checksum = 0;  // CRC-32C of these bytes
  std::uint32_t capture_mark = 0;
  std::uint32_t header_checksum = 0;  // CRC-32C of the header up to here
};
static_assert(sizeof(StoredHeader) == index_header_bytes);
static_assert(offsetof(StoredHeader, header_checksum) == index_header_bytes - 4);

// From version 2 on: in front of the entries.
struct StoredMark {
  std::uint64_t modified_ns = 0;
  std::uint64_t changed_ns = 0;
  std::uint64_t inode = 0;
  std::uint32_t fingerprint = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the mark up to here, for readers of no more than the head
};

using Word = std::array<char, 8>;  // padded with zeros

// From version 3 on: after the mark.
struct StoredClock {
  std::uint64_t error_ns = unknown_error;
  Word source{}, discipline{};
  std::uint32_t head_checksum = 0;
  std::uint32_t checksum = 0;  // CRC-32C of these bytes up to here
  static constexpr std::uint64_t unknown_error = UINT64_MAX;
};
static_assert(index_header_bytes + sizeof(StoredMark) + sizeof(StoredClock) == index_head_bytes);

// The checksum of a part of the head, except for that checksum itself, with which the part ends.
template <typename Stored>
std::uint32_t checksum_of(const Stored& stored) {
  return crc32c(std::as_bytes(std::span{&stored, 1}).first(sizeof(Stored) - sizeof(std::uint32_t)));
}

StoredMark to_stored(const FileMark& mark) {
  StoredMark stored{mark.modified_ns, mark.changed_ns, mark.inode, mark.fingerprint, 0};
  stored.checksum = checksum_of(stored);
  return stored;
}

// A word that is too long becomes "not known" rather than another word.
Word to_word(const std::string& text) {
  Word word{};
  if (text.size() <= word.size()) std::ranges::copy(text, word.begin());
  return word;
}

std::optional<std::string> from_word(const Word& word) {
  const auto end = std::ranges::find(word, '\0');
  if (std::any_of(end, word.end(), [](char c) { return c != '\0'; })) return std::nullopt;
  return std::string(word.begin(), end);
}

StoredClock to_stored(const FileClock& clock, std::uint32_t head_checksum) {
  StoredClock stored{clock.error_ns.value_or(StoredClock::unknown_error), to_word(clock.source),
                     to_word(clock.discipline), head_checksum, 0};
  stored.checksum = checksum_of(stored);
  return stored;
}

std::size_t head_bytes_of(std::uint16_t version) {
  const auto with_mark = version == version_without_mark ? 0 : sizeof(StoredMark);
  return index_header_bytes + with_mark + (version <= version_without_clock ? 0 : sizeof(StoredClock));
}

std::uint8_t flags_of(std::uint16_t version) {
  return version <= version_without_clock ? flag_ordered : flag_ordered | flag_checksums | flag_mark;
}

StoredHeader to_stored(const IndexHeader& header, std::span<const std::byte> body, std::size_t entries) {
  StoredHeader stored;
  stored.level = static_cast<std::uint8_t>(header.level);
  stored.flags = static_cast<std::uint8_t>((header.ordered ? flag_ordered : 0) | (header.mark ? flag_mark : 0) |
                                           (header.checksums ? flag_checksums : 0));
  stored.entries = static_cast<std::uint32_t>(entries);
  stored.file_bytes = header.file_bytes;
  stored.packets = header.packets;
  stored.bytes = header.bytes;
  stored.first = header.first.ns;
  stored.last = header.last.ns;
  stored.body_bytes = body.size();
  stored.block_bytes = header.block_bytes;
  stored.capture_mark = header.capture_mark;
  stored.body_checksum = crc32c(body);
  stored.header_checksum = checksum_of(stored);
  return stored;
}

IndexHeader from_stored(const StoredHeader& stored) {
  return {static_cast<IndexLevel>(stored.level),
          (stored.flags & flag_ordered) != 0,
          stored.file_bytes,
          stored.packets,
          stored.bytes,
          Timestamp{stored.first},
          Timestamp{stored.last},
          stored.block_bytes,
          stored.capture_mark,
          std::nullopt,
          {},
          (stored.flags & flag_checksums) != 0};
}

std::expected<StoredHeader, IndexProblem> read_header(std::span<const std::byte> bytes) {
  StoredHeader stored;
  if (bytes.size() < offsetof(StoredHeader, level)) return std::unexpected(IndexProblem::not_an_index);
  std::memcpy(&stored, bytes.data(), std::min(bytes.size(), sizeof stored));
  if (stored.magic != index_magic) return std::unexpected(IndexProblem::not_an_index);
  if (stored.version > newest_version) return std::unexpected(IndexProblem::newer_version);
  if (bytes.size() < sizeof stored) return std::unexpected(IndexProblem::cut_short);
  if (stored.header_checksum != checksum_of(stored)) return std::unexpected(IndexProblem::damaged);
  const bool known_level = stored.level == static_cast<std::uint8_t>(IndexLevel::time) ||
                           stored.level == static_cast<std::uint8_t>(IndexLevel::flow);
  if (stored.version == 0 || !known_level || (stored.flags & ~flags_of(stored.version)) != 0) {
    return std::unexpected(IndexProblem::damaged);
  }
  return stored;
}

bool read_mark(const StoredHeader& stored, std::span<const std::byte> bytes, IndexHeader& header) {
  StoredMark mark;
  std::memcpy(&mark, bytes.data(), sizeof mark);
  if (mark.checksum != checksum_of(mark)) return false;
  if (stored.version == version_without_clock || (stored.flags & flag_mark) != 0)
    header.mark = {mark.modified_ns, mark.changed_ns, mark.inode, mark.fingerprint};
  return true;
}

bool read_clock(std::span<const std::byte> bytes, IndexHeader& header) {
  StoredClock clock;
  std::memcpy(&clock, bytes.data(), sizeof clock);
  if (clock.checksum != checksum_of(clock)) return false;
  const auto source = from_word(clock.source), discipline = from_word(clock.discipline);
  if (!source || !discipline) return false;
  header.clock = {*source, *discipline, {}};
  if (clock.error_ns != StoredClock::unknown_error) header.clock.error_ns = clock.error_ns;
  header.head_checksum = clock.head_checksum;
  return true;
}

// The header and what lies between it and the entries.
std::expected<IndexHeader, IndexProblem> read_head(const StoredHeader& stored, std::span<const std::byte> bytes) {
  auto header = from_stored(stored);
  if (bytes.size() < head_bytes_of(stored.version)) return std::unexpected(IndexProblem::cut_short);
  const auto behind = bytes.subspan(sizeof stored);
  const bool good = (stored.version == version_without_mark || read_mark(stored, behind, header)) &&
                    (stored.version <= version_without_clock || read_clock(behind.subspan(sizeof(StoredMark)), header));
  if (!good) return std::unexpected(IndexProblem::damaged);
  return header;
}

// After a pcap file's header, or a pcapng file's section and interfaces.
bool can_be_first(std::uint64_t record) {
  return record == sizeof(PcapFileHeader) || (record > sizeof(PcapFileHeader) && record % 4 == 0);
}

// The entries tile the file from its first record to its end, and add up to what the header says.
bool plausible(const Index& index) {
  std::uint64_t offset = sizeof(PcapFileHeader);
  std::uint64_t packets = 0;
  for (const auto& entry : index.entries) {
    const bool in_place = packets == 0 ? can_be_first(entry.first_record) : entry.first_record > offset;
    if (!in_place || entry.packets == 0 || entry.first > entry.last) return false;
    if (entry.first < index.header.first || entry.last > index.header.last) return false;
    offset = entry.first_record;
    packets += entry.packets;
  }
  return packets == index.header.packets && (packets == 0 || offset < index.header.file_bytes);
}

// Entries, then for the flow level the number of lines of each filter, then the filters.
// `bytes` are the last ones of the file.
bool read_filters(std::span<const std::byte> bytes, Index& index) {
  const auto count = index.entries.size();
  if (bytes.size() < count * sizeof(std::uint32_t)) return false;
  index.filter_lines.resize(count);
  if (count > 0) std::memcpy(index.filter_lines.data(), bytes.data(), count * sizeof(std::uint32_t));
  bytes = bytes.subspan(count * sizeof(std::uint32_t));
  std::uint64_t offset = 0;
  for (const auto lines : index.filter_lines) {
    if (lines != 0 && !std::has_single_bit(lines)) return false;
    index.filter_offsets.push_back(offset);
    offset += std::uint64_t{lines} * filter_line_bytes;
  }
  index.filters_begin = index.file.size() - bytes.size();
  return offset == bytes.size();
}

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::uint32_t capture_mark(Timestamp start) {
  const auto mark = crc32c(std::as_bytes(std::span{&start.ns, 1}));
  return mark == 0 ? 1 : mark;
}

std::string to_string(IndexProblem problem) {
  switch (problem) {
    case IndexProblem::not_an_index:
      return "it is not an index";
    case IndexProblem::newer_version:
      return "a newer wirespool wrote it";
    case IndexProblem::cut_short:
      return "it is cut short";
    case IndexProblem::damaged:
      return "it is damaged";
  }
  return "it is not usable";
}

std::vector<std::byte> encode_index(const IndexHeader& header, std::span<const IndexEntry> entries,
                                    FilterSection filters) {
  std::vector<std::byte> out(sizeof(StoredHeader));
  out.reserve(index_head_bytes + entries.size_bytes() + filters.lines.size_bytes() + filters.bytes.size());
  const auto mark = to_stored(header.mark.value_or(FileMark{}));
  append(out, std::as_bytes(std::span{&mark, 1}));
  const auto clock = to_stored(header.clock, header.head_checksum);
  append(out, std::as_bytes(std::span{&clock, 1}));
  append(out, std::as_bytes(entries));
  if (header.level == IndexLevel::flow) {
    append(out, std::as_bytes(filters.lines));
    append(out, filters.bytes);
  }
  const auto stored = to_stored(header, std::span{out}.subspan(sizeof(StoredHeader)), entries.size());
  std::memcpy(out.data(), &stored, sizeof stored);
  return out;
}

std::expected<IndexHeader, IndexProblem> decode_index_header(std::span<const std::byte> bytes) {
  const auto stored = read_header(bytes);
  if (!stored) return std::unexpected(stored.error());
  return read_head(*stored, bytes);
}

std::expected<Index, IndexProblem> decode_index(std::vector<std::byte> file) {
  const auto stored = read_header(file);
  if (!stored) return std::unexpected(stored.error());
  auto body = std::span<const std::byte>(file).subspan(sizeof(StoredHeader));
  if (body.size() < stored->body_bytes) return std::unexpected(IndexProblem::cut_short);
  if (body.size() != stored->body_bytes || crc32c(body) != stored->body_checksum) {
    return std::unexpected(IndexProblem::damaged);
  }
  const auto header = read_head(*stored, file);
  if (!header) return std::unexpected(header.error());
  body = body.subspan(head_bytes_of(stored->version) - sizeof(StoredHeader));
  const auto entry_bytes = std::uint64_t{stored->entries} * sizeof(IndexEntry);
  if (body.size() < entry_bytes) return std::unexpected(IndexProblem::damaged);

  // `body` and `rest` stay where they are when the vector moves.
  Index index{*header, std::vector<IndexEntry>(stored->entries), {}, {}, {}, 0};
  if (entry_bytes > 0) std::memcpy(index.entries.data(), body.data(), entry_bytes);
  const auto rest = body.subspan(entry_bytes);
  index.file = std::move(file);
  index.filters_begin = index.file.size();
  const bool whole = index.header.level == IndexLevel::flow ? read_filters(rest, index) : rest.empty();
  if (!whole || !plausible(index)) return std::unexpected(IndexProblem::damaged);
  return index;
}

}  // namespace wirespool::format
