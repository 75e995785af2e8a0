// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// What a directory is stored on, as far as it matters for writing. Found by looking, and by a trial write that leaves
// nothing behind.
struct DriveInfo {
  std::string path;                 // as given
  std::string real_path;            // realpath(3): two names of one directory give the same
  std::uint64_t device = 0;         // st_dev
  std::uint64_t inode = 0;          // with `device`: identifies a directory even if bind mounts give it two real paths
  std::string device_name;          // "nvme0n1", "loop3"; empty if no block device is behind it (tmpfs, overlay, FUSE)
  std::string file_system;          // "ext4", "xfs", "tmpfs", "fuse", ... or "0x1234" for an unknown f_type (statfs(2))
  std::uint32_t block_bytes = 512;  // smallest O_DIRECT unit: statx(2) STATX_DIOALIGN, else sysfs, else by trial
  bool direct_io = false;           // an aligned O_DIRECT write worked, and the file system does not deny having it
  bool preallocation = false;       // fallocate(2) mode 0 worked
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  int numa_node = -1;          // of the device; -1: unknown
  bool for_everybody = false;  // every user may make names in it
};

// Errors: not there, not a directory, not writable (EACCES, EROFS), trial write failed for another reason than EINVAL.
std::expected<DriveInfo, IoError> inspect_drive(const std::string& path);

// Writes one block to a file that is gone afterwards, and syncs it: whether a drive that was full or failed takes
// writes again. Errors: what refused it.
std::expected<void, IoError> prove_writing(const Directory& directory, std::uint32_t block_bytes, bool direct_io);

// Free bytes (fstatvfs(3) f_bavail); 0 if not known. Of the file system the directory was opened on, whatever its path
// leads to now.
std::uint64_t free_bytes(const Directory& directory) noexcept;

}  // namespace wirespool::storage
