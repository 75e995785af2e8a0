// SPDX-License-Identifier: BSD-3-Clause
#include "read/archived_files.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "format/file_name.hpp"
#include "format/retention_files.hpp"
#include "storage/read_file.hpp"

namespace wirespool::read {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largest_archived_file = 64 << 10;

}  // namespace

std::expected<std::vector<std::string>, std::string> archives_of(const std::string& directory, const std::string& stem,
                                                                 Timestamp start) {
  const auto path = fs::path(directory) / format::archived_file_name(stem, start);
  const auto text = storage::read_small_file(path.string(), largest_archived_file);
  if (!text && text.error().code == ENOENT) return {};
  if (!text) return std::unexpected(text.error().message());
  auto archived = format::decode_archived(*text);
  if (!archived) return std::unexpected(path.string() + ": " + archived.error());
  return std::move(archived->directories);
}

bool is_place_of(const std::string& archive, const std::string& stem, Timestamp start) {
  const fs::path path(archive);
  return path.is_absolute() && path.parent_path().filename() == format::capture_name(stem, start);
}

// Rarely needed, so that looking at the directory anew may cost something.
std::string path_now(const SpoolEntry& entry) {
  std::error_code unknown;
  if (entry.archived || !entry.named || fs::exists(entry.path, unknown)) return entry.path;
  const auto spool = Spool::open({entry.directory}, Spool::Archives::named);
  if (!spool) return entry.path;
  const auto name = fs::path(entry.path).filename();
  for (const auto& capture : spool->captures()) {
    if (capture.stem != entry.stem) continue;
    for (const auto& archive : capture.archives)
      if (is_place_of(archive, capture.stem, capture.start) && fs::exists(fs::path(archive) / name, unknown))
        return (fs::path(archive) / name).string();
  }
  return entry.path;
}

}  // namespace wirespool::read
