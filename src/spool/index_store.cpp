// SPDX-License-Identifier: BSD-3-Clause
#include "spool/index_store.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include "format/file_name.hpp"
#include "storage/read_file.hpp"

namespace wirespool::spool {

namespace fs = std::filesystem;

namespace {

// An index of a 1 TiB file with small Blocks and full filters; more is damage.
constexpr std::uint64_t largest_index = 4ull << 30;

NoIndex reason(const storage::IoError& error) { return error.code == ENOENT ? "" : error.message(); }

std::unexpected<NoIndex> unusable(const fs::path& path, const std::string& why) {
  return std::unexpected(path.string() + ": " + why);
}

constexpr const char* of_another_file = "it is of another file, or of this one before it was changed";

}  // namespace

fs::path index_path(const fs::path& pcap) {
  return pcap.parent_path() / format::index_file_name(pcap.filename().string());
}

std::expected<format::IndexHeader, NoIndex> load_index_header(const fs::path& pcap, std::uint64_t file_bytes) {
  const auto path = index_path(pcap);
  const auto file = storage::ReadFile::open(path.string());
  if (!file) return std::unexpected(reason(file.error()));
  std::array<std::byte, format::index_header_bytes> bytes{};
  const auto got = file->read(0, bytes);
  if (!got) return std::unexpected(reason(got.error()));
  const auto header = format::decode_index_header(std::span(bytes).first(*got));
  if (!header) return unusable(path, format::to_string(header.error()));
  if (header->file_bytes != file_bytes) return unusable(path, of_another_file);
  return *header;
}

std::expected<format::Index, NoIndex> load_index(const fs::path& pcap, std::uint64_t file_bytes) {
  const auto path = index_path(pcap);
  auto bytes = storage::read_small_file(path.string(), largest_index);
  if (!bytes) return std::unexpected(reason(bytes.error()));
  auto index = format::decode_index(std::move(*bytes));
  if (!index) return unusable(path, format::to_string(index.error()));
  if (index->header.file_bytes != file_bytes) return unusable(path, of_another_file);
  return std::move(*index);
}

}  // namespace wirespool::spool
