// SPDX-License-Identifier: BSD-3-Clause
#include "read/index_store.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "format/file_name.hpp"
#include "read/file_mark.hpp"

namespace wirespool::read {

namespace fs = std::filesystem;
using format::IndexHeader;
using storage::ReadFile;

namespace {

NoIndex reason(const storage::IoError& error) { return error.code == ENOENT ? "" : error.message(); }

std::unexpected<NoIndex> unusable(const ReadFile& index, const std::string& why) {
  return std::unexpected(index.path() + ": " + why);
}

std::expected<IndexHeader, NoIndex> read_header(const ReadFile& index) {
  std::array<std::byte, format::index_head_bytes> bytes{};
  const auto got = index.read(0, bytes);
  if (!got) return std::unexpected(reason(got.error()));
  const auto header = format::decode_index_header(std::span(bytes).first(*got));
  if (!header) return unusable(index, format::to_string(header.error()));
  return *header;
}

enum class Compare { length, times, content };

Likeness likeness(const IndexHeader& header, const ReadFile& index, const ReadFile& pcap, Compare what) {
  if (header.file_bytes != pcap.size()) return Likeness::other;
  if (what == Compare::length) return Likeness::moved;
  if (header.mark) return compare(*header.mark, pcap, what == Compare::content);
  const auto made = index.times();
  const auto changed = pcap.times();
  return made && changed && made->modified_ns >= changed->modified_ns ? Likeness::moved : Likeness::other;
}

std::expected<FoundHeader, NoIndex> load_header(const ReadFile& index, const ReadFile& pcap, Compare what) {
  const auto header = read_header(index);
  if (!header) return std::unexpected(header.error());
  const auto like = likeness(*header, index, pcap, what);
  if (like == Likeness::other) return unusable(index, "it is of another file, or of this one before it was changed");
  return FoundHeader{*header, like == Likeness::untouched};
}

// Only the head is read until it shows an index of this file: anything else of that name may be of any size.
std::expected<format::Index, NoIndex> load(const ReadFile& pcap, Compare what) {
  const auto file = ReadFile::open(index_path(pcap.path()).string());
  if (!file) return std::unexpected(reason(file.error()));
  const auto header = load_header(*file, pcap, what);
  if (!header) return std::unexpected(header.error());
  if (file->size() > largest_index) return unusable(*file, "it is longer than any index");
  std::vector<std::byte> bytes(file->size());
  const auto got = file->read(0, bytes);
  if (!got) return std::unexpected(reason(got.error()));
  bytes.resize(*got);
  auto index = format::decode_index(std::move(bytes));
  if (!index) return unusable(*file, format::to_string(index.error()));
  return std::move(*index);
}

}  // namespace

fs::path index_path(const fs::path& pcap) {
  return pcap.parent_path() / format::index_file_name(pcap.filename().string());
}

std::expected<FoundHeader, NoIndex> load_index_header(const ReadFile& pcap) {
  const auto index = ReadFile::open(index_path(pcap.path()).string());
  if (!index) return std::unexpected(reason(index.error()));
  return load_header(*index, pcap, Compare::times);
}

std::expected<format::Index, NoIndex> load_index(const ReadFile& pcap) { return load(pcap, Compare::content); }
std::expected<format::Index, NoIndex> load_index_to_check(const ReadFile& pcap) { return load(pcap, Compare::length); }

}  // namespace wirespool::read
