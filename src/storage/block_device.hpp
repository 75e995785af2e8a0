// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace wirespool::storage {

// What sysfs tells about a block device (Documentation/ABI/stable/sysfs-block). `sysfs` is /sys, or a test's picture of
// it.
struct BlockDevice {
  std::string name;                       // "nvme0n1", "vda1"
  std::uint32_t logical_block_bytes = 0;  // 0: not told
  int numa_node = -1;                     // -1: not told
};

std::optional<BlockDevice> block_device(const std::filesystem::path& sysfs, unsigned major, unsigned minor);

// The same by a name in /dev, as mounts of file systems with a device number of their own (btrfs) tell it.
std::optional<BlockDevice> block_device(const std::filesystem::path& sysfs, const std::string& dev_path);

}  // namespace wirespool::storage
