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

// What has a name in a directory. A symbolic link is not followed, and is no regular file.
struct NamedFile {
  FileIdentity identity;
  std::uint64_t bytes = 0;  // bytes that it takes on its drive
  bool regular = false;
  bool only_name = false;  // it has no other name
};
std::optional<NamedFile> look_at(const Directory& directory, const std::string& name) noexcept;  // nullopt: none

// Unlinks `name` if it is that file's. ENOENT: there is no such name, or something else has it by now. The caller syncs
// the directory.
std::expected<void, IoError> remove_file(const Directory& directory, const std::string& name,
                                         const FileIdentity& identity);

// Sets when a file was last modified, in nanoseconds since 1970, and syncs that. Not a symbolic link's.
std::expected<void, IoError> set_modified(const Directory& directory, const std::string& name,
                                          std::uint64_t modified_ns);

// Makes a small file, whole and synced with its name, which must not be there yet (EEXIST, also for a symbolic link).
// On any other error it is gone again.
std::expected<void, IoError> make_file(const Directory& directory, const std::string& name,
                                       std::span<const std::byte> content);

// Whether the path by which the directory was opened still leads to it: not after umount(8) or a rename.
bool still_has_its_path(const Directory& directory) noexcept;

// The file system it is on: which one, and its free (fstatvfs(3) f_bavail: for users other than root) and total bytes.
// ESTALE and the like are errors.
struct FileSystem {
  std::uint64_t device = 0, free = 0, total = 0;
};
std::expected<FileSystem, IoError> file_system_of(const Directory& directory);

}  // namespace wirespool::storage
