// SPDX-License-Identifier: BSD-3-Clause
#include "read/file_mark.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "format/crc32c.hpp"

namespace wirespool::read {

using storage::IoError;
using storage::ReadFile;

namespace {

constexpr std::uint64_t piece_bytes = 4096;
constexpr std::uint64_t most_pieces = 16;

// CRC-32C of pages spread evenly over the file, including the first and the last; of all pages if they are few.
std::expected<std::uint32_t, IoError> fingerprint(const ReadFile& file) {
  const auto pages = (file.size() + piece_bytes - 1) / piece_bytes;
  const auto pieces = std::min(pages, most_pieces);
  std::uint32_t checksum = 0;
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    const auto page = pieces == 1 ? 0 : piece * (pages - 1) / (pieces - 1);
    alignas(piece_bytes) std::array<std::byte, piece_bytes> bytes;
    const auto got = file.read(page * piece_bytes, bytes);
    if (!got) return std::unexpected(got.error());
    checksum = format::crc32c(std::span(bytes).first(*got), checksum);
  }
  return checksum;
}

// Whether `copy` can be `time` as a copy keeps it: exactly, or rounded to what its format or file system can hold (tar
// and NFS: 1 s; FAT and zip: 2 s; SMB and NTFS: 100 ns).
bool may_be_copied_from(std::uint64_t time, std::uint64_t copy) {
  constexpr std::array<std::uint64_t, 5> units{1, 100, 1000, 1'000'000'000, 2'000'000'000};
  return std::ranges::any_of(units, [&](std::uint64_t unit) { return copy == time / unit * unit; });
}

}  // namespace

std::expected<format::FileMark, IoError> mark_of(const ReadFile& file) {
  const auto times = file.times();
  if (!times) return std::unexpected(times.error());
  const auto content = fingerprint(file);
  if (!content) return std::unexpected(content.error());
  return format::FileMark{times->modified_ns, times->changed_ns, file.identity().inode, *content};
}

std::optional<format::FileMark> mark_of(const std::string& path) {
  const auto file = ReadFile::open(path, ReadFile::Mode::direct);
  const auto mark = file ? mark_of(*file) : std::unexpected(file.error());
  return mark ? std::optional(*mark) : std::nullopt;
}

Likeness compare(const format::FileMark& mark, const ReadFile& file, bool look_inside) {
  const auto times = file.times();
  if (!times) return Likeness::other;
  const bool untouched = times->modified_ns == mark.modified_ns && times->changed_ns == mark.changed_ns &&
                         file.identity().inode == mark.inode;
  if (untouched) return Likeness::untouched;
  if (!may_be_copied_from(mark.modified_ns, times->modified_ns)) return Likeness::other;
  if (!look_inside) return Likeness::moved;
  const auto content = fingerprint(file);
  return content && *content == mark.fingerprint ? Likeness::moved : Likeness::other;
}

}  // namespace wirespool::read
