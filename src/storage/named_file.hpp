// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "storage/directory.hpp"
#include "storage/io_error.hpp"
#include "storage/read_file.hpp"

namespace wirespool::storage {

// What stands under a name in a directory. A symbolic link is looked at itself, and is no regular file.
struct NamedFile {
  FileIdentity identity;
  std::uint64_t bytes = 0;  // of room that it takes on its drive
  bool regular = false;
  bool only_name = false;  // it has no other
};
std::optional<NamedFile> look_at(const Directory& directory, const std::string& name) noexcept;  // nothing: none

// Takes the name away from that file. ENOENT: it had none, or something else has it by now. The directory is the
// caller's to sync.
std::expected<void, IoError> remove_file(const Directory& directory, const std::string& name,
                                         const FileIdentity& identity);

// A small file that must not be there yet (EEXIST, also for a symbolic link), whole and synced with its name. On any
// other error it is gone again.
std::expected<void, IoError> make_file(const Directory& directory, const std::string& name,
                                       std::span<const std::byte> content);

// Whether the path that the directory was opened by still leads to it: not after a umount(8) or a rename.
bool still_has_its_path(const Directory& directory) noexcept;

// The file system it is on: which, free and total bytes for who is not root (fstatvfs(3) f_bavail). ESTALE and the like
// come as an error.
struct FileSystem {
  std::uint64_t device = 0, free = 0, total = 0;
};
std::expected<FileSystem, IoError> file_system_of(const Directory& directory);

}  // namespace wirespool::storage
