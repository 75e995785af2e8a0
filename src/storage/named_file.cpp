// SPDX-License-Identifier: BSD-3-Clause
#include "storage/named_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "storage/beneath.hpp"
#include "storage/file_descriptor.hpp"

namespace wirespool::storage {
namespace {

constexpr std::uint64_t stat_unit = 512;  // of st_blocks (stat(2))

std::expected<void, IoError> fill(int fd, const std::string& path, std::span<const std::byte> content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused("writing", path, "write", written < 0 ? errno : EIO);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return refused("writing", path, "fsync");
  return {};
}

}  // namespace

std::optional<NamedFile> look_at(const Directory& directory, const std::string& name) noexcept {
  struct stat status {};
  if (::fstatat(directory.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return NamedFile{{status.st_dev, status.st_ino},
                   static_cast<std::uint64_t>(status.st_blocks) * stat_unit,
                   S_ISREG(status.st_mode),
                   status.st_nlink == 1};
}

std::expected<void, IoError> remove_file(const Directory& directory, const std::string& name,
                                         const FileIdentity& identity) {
  const auto there = look_at(directory, name);
  if (!there || there->identity != identity || !there->regular)
    return refused("removing", directory.path_of(name), "it is another file", ENOENT);
  if (::unlinkat(directory.fd(), name.c_str(), 0) != 0) return refused("removing", directory.path_of(name), "unlinkat");
  return {};
}

std::expected<void, IoError> set_modified(const Directory& directory, const std::string& name,
                                          std::uint64_t modified_ns) {
  const auto path = directory.path_of(name);
  const FileDescriptor fd = open_beneath(directory, name, O_RDONLY | O_CLOEXEC);
  if (!fd) return not_opened("dating", directory, name, "open");
  const timespec modified{static_cast<time_t>(modified_ns / 1'000'000'000),
                          static_cast<long>(modified_ns % 1'000'000'000)};
  const std::array<timespec, 2> times{{{0, UTIME_OMIT}, modified}};
  if (::futimens(fd.get(), times.data()) != 0) return refused("dating", path, "futimens");
  if (::fsync(fd.get()) != 0) return refused("dating", path, "fsync");
  return {};
}

std::expected<void, IoError> make_file(const Directory& directory, const std::string& name,
                                       std::span<const std::byte> content) {
  const auto path = directory.path_of(name);
  const FileDescriptor fd = open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (!fd) return not_opened("creating", directory, name, "open");
  auto made = fill(fd.get(), path, content);
  if (made) made = directory.sync();
  if (!made) ::unlinkat(directory.fd(), name.c_str(), 0);
  return made;
}

bool still_has_its_path(const Directory& directory) noexcept {
  struct stat ours {};
  struct stat there {};
  return ::fstat(directory.fd(), &ours) == 0 && ::stat(directory.path().c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

std::expected<FileSystem, IoError> file_system_of(const Directory& directory) {
  struct stat status {};
  struct statvfs space {};
  if (::fstat(directory.fd(), &status) != 0) return refused("looking at", directory.path(), "fstat");
  if (!S_ISDIR(status.st_mode)) return refused("looking at", directory.path(), "it was let go of", ESTALE);
  if (::fstatvfs(directory.fd(), &space) != 0) return refused("looking at", directory.path(), "fstatvfs");
  return FileSystem{status.st_dev, std::uint64_t{space.f_bavail} * space.f_frsize,
                    std::uint64_t{space.f_blocks} * space.f_frsize};
}

}  // namespace wirespool::storage
