// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <istream>
#include <optional>
#include <string>

#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// What sysfs says about a block device (Documentation/ABI/stable/sysfs-block). `sysfs` is /sys, or a test's picture of
// it.
struct BlockDevice {
  std::string name;                       // "nvme0n1", "vda1"
  std::uint32_t logical_block_bytes = 0;  // 0: unknown
  int numa_node = -1;                     // -1: unknown
};

std::optional<BlockDevice> block_device(const std::filesystem::path& sysfs, unsigned major, unsigned minor);

// The same by a name in /dev, as the mounts of file systems with device numbers of their own (btrfs) have it.
std::optional<BlockDevice> block_device(const std::filesystem::path& sysfs, const std::string& dev_path);

// The unit of direct I/O on an open file, as its file system tells it (statx(2) STATX_DIOALIGN, Linux 6.1): 0 if it has
// no direct I/O, nothing if it does not say.
std::optional<std::uint32_t> direct_alignment(int fd) noexcept;

struct TrialResult {
  bool direct_io = false;
  bool preallocation = false;       // fallocate(2) mode 0 works
  std::uint32_t block_bytes = 512;  // what O_DIRECT takes, or `likely_block_bytes` without it
};

// Writes a block to a file without a name in `directory`, which is gone afterwards. Finds the smallest unit that
// O_DIRECT takes: what the file system says (statx(2) STATX_DIOALIGN, Linux 6.1), else `likely_block_bytes`, else 4096.
std::expected<TrialResult, IoError> try_writing(const Directory& directory, std::uint32_t likely_block_bytes);

struct Mount {
  std::string type;    // "btrfs", "virtiofs", "fuse.sshfs"
  std::string source;  // "/dev/sda2", "overlay", "host:/export"
};

// The mount with this id (statx(2) stx_mnt_id) in a text like /proc/self/mountinfo (proc_pid_mountinfo(5)).
std::optional<Mount> find_mount(std::istream& mountinfo, std::uint64_t mount_id);

}  // namespace wirespool::storage
