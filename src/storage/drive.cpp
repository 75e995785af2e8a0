// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "storage/directory.hpp"
#include "storage/drive_parts.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

// statfs(2) f_type. Two are numbers here: linux/magic.h has FUSE's on newer distributions only, and ZFS's on none.
constexpr std::array<std::pair<std::uint32_t, const char*>, 11> file_systems{{
    {EXT4_SUPER_MAGIC, "ext4"},
    {XFS_SUPER_MAGIC, "xfs"},
    {BTRFS_SUPER_MAGIC, "btrfs"},
    {TMPFS_MAGIC, "tmpfs"},
    {OVERLAYFS_SUPER_MAGIC, "overlay"},
    {NFS_SUPER_MAGIC, "nfs"},
    {F2FS_SUPER_MAGIC, "f2fs"},
    {RAMFS_MAGIC, "ramfs"},
    {V9FS_MAGIC, "9p"},
    {0x65735546, "fuse"},
    {0x2fc12fc1, "zfs"},
}};

std::string file_system_name(std::uint32_t type, const std::optional<Mount>& mount) {
  if (mount && mount->type == "virtiofs") return "virtiofs";  // statfs(2) calls it FUSE
  for (const auto& [magic, name] : file_systems)
    if (magic == type) return name;
  std::array<char, 16> hex{};
  std::snprintf(hex.data(), hex.size(), "0x%x", type);
  return hex.data();
}

std::expected<std::string, IoError> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return refused("looking at", path, "realpath");
  return std::string(real.get());
}

std::optional<Mount> mount_of(int directory) {
  struct statx all {};
  if (::statx(directory, "", AT_EMPTY_PATH, STATX_MNT_ID, &all) != 0 || (all.stx_mask & STATX_MNT_ID) == 0)
    return std::nullopt;
  std::ifstream mountinfo("/proc/self/mountinfo");
  return find_mount(mountinfo, all.stx_mnt_id);
}

// btrfs and others give each subvolume a device number that belongs to no device; their mount names the real one.
std::optional<BlockDevice> device_below(dev_t device, const std::optional<Mount>& mount) {
  if (major(device) != 0) return block_device("/sys", major(device), minor(device));
  return mount ? block_device("/sys", mount->source) : std::nullopt;
}

// btrfs takes direct writes only in its own sectors, whatever the device's; a smaller one is silently buffered
// (btrfs(5), "sectorsize"), which no trial shows.
std::uint32_t likely_block_bytes(const DriveInfo& drive, const std::optional<BlockDevice>& device,
                                 const struct statfs& system) {
  const std::uint32_t told = device ? std::max(512U, device->logical_block_bytes) : 512U;
  return drive.file_system == "btrfs" ? std::max(told, static_cast<std::uint32_t>(system.f_bsize)) : told;
}

std::expected<void, IoError> look_at_space(const Directory& directory, DriveInfo& drive) {
  struct statvfs space {};
  if (::fstatvfs(directory.fd(), &space) != 0) return refused("looking at", directory.path(), "fstatvfs");
  drive.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  drive.total_bytes = std::uint64_t{space.f_blocks} * space.f_frsize;
  return {};
}

// Fills in what the file system and its device say; returns the likely block size.
std::expected<std::uint32_t, IoError> look_at(const Directory& directory, DriveInfo& drive) {
  struct stat status {};
  struct statfs system {};
  if (::fstat(directory.fd(), &status) != 0) return refused("looking at", drive.path, "fstat");
  if (::fstatfs(directory.fd(), &system) != 0) return refused("looking at", drive.path, "fstatfs");
  const auto mount = mount_of(directory.fd());
  const auto device = device_below(status.st_dev, mount);
  drive.device = status.st_dev;
  drive.inode = status.st_ino;
  drive.for_everybody = (status.st_mode & S_IWOTH) != 0;
  drive.device_name = device ? device->name : "";
  drive.numa_node = device ? device->numa_node : -1;
  drive.file_system = file_system_name(static_cast<std::uint32_t>(system.f_type), mount);
  return likely_block_bytes(drive, device, system);
}

}  // namespace

std::expected<DriveInfo, IoError> inspect_drive(const std::string& path) {
  DriveInfo drive;
  drive.path = path;
  auto real = real_path(path);
  if (!real) return std::unexpected(real.error());
  drive.real_path = std::move(*real);
  const auto directory = Directory::open(path);
  if (!directory) return std::unexpected(directory.error());
  const auto likely = look_at(*directory, drive);
  if (!likely) return std::unexpected(likely.error());
  if (auto space = look_at_space(*directory, drive); !space) return std::unexpected(space.error());
  const auto trial = try_writing(*directory, *likely);
  if (!trial) return std::unexpected(trial.error());
  drive.direct_io = trial->direct_io;
  drive.preallocation = trial->preallocation;
  drive.block_bytes = trial->block_bytes;
  return drive;
}

std::uint64_t free_bytes(const Directory& directory) noexcept {
  struct statvfs space {};
  return ::fstatvfs(directory.fd(), &space) == 0 ? std::uint64_t{space.f_bavail} * space.f_frsize : 0;
}

}  // namespace wirespool::storage
