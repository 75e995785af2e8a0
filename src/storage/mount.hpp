// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

namespace wirespool::storage {

struct Mount {
  std::string type;    // "btrfs", "virtiofs", "fuse.sshfs"
  std::string source;  // "/dev/sda2", "overlay", "host:/export"
};

// The mount with this id (statx(2) stx_mnt_id) in a text like /proc/self/mountinfo (proc_pid_mountinfo(5)).
std::optional<Mount> find_mount(std::istream& mountinfo, std::uint64_t mount_id);

}  // namespace wirespool::storage
