// SPDX-License-Identifier: BSD-3-Clause
#include "storage/directory.hpp"
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "storage/io_error.hpp"

namespace wirespool::storage {

std::expected<Directory, IoError> Directory::open(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return refused("opening", path, "open");
  return Directory(std::move(fd), path);
}

std::expected<void, IoError> Directory::sync() const {
  // fsync(2): EINVAL says that this kind of file has nothing to sync (some FUSE and network file systems).
  if (::fsync(fd_.get()) != 0 && errno != EINVAL) return refused("syncing", path_, "fsync");
  return {};
}

std::expected<Directory, IoError> Directory::make(const std::string& name) const {
  if (!is_plain_name(name)) return not_opened("making", *this, name, "mkdir", EINVAL);
  const bool made = ::mkdirat(fd_.get(), name.c_str(), 0750) == 0;
  if (!made && errno != EEXIST) return refused("making", path_of(name), "mkdir");
  if (made)
    if (auto synced = sync(); !synced) return std::unexpected(synced.error());
  FileDescriptor fd = open_beneath(*this, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!fd) return not_opened("opening", *this, name, "open");
  return Directory(std::move(fd), path_of(name));
}

std::expected<void, IoError> Directory::make_again() const {
  struct stat ours {};
  if (::fstat(fd_.get(), &ours) != 0) return refused("looking at", path_, "fstat");
  if (ours.st_nlink > 0) return {};
  if (::mkdir(path_.c_str(), ours.st_mode & 07777) != 0 && errno != EEXIST) {
    return refused("making again", path_, "mkdir");
  }
  const FileDescriptor fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return refused("making again", path_, "open");
  if (::dup3(fd.get(), fd_.get(), O_CLOEXEC) < 0) return refused("making again", path_, "dup3");
  return {};
}

// A lock belongs to an open file description: a new one is opened for each turn.
std::expected<FileDescriptor, IoError> Directory::take_turn(Turn turn) const {
  FileDescriptor mine(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!mine) return refused("opening", path_, "open");
  int failed = 0;
  do {
    failed = ::flock(mine.get(), turn == Turn::wait ? LOCK_EX : LOCK_EX | LOCK_NB);
  } while (failed != 0 && errno == EINTR);
  if (failed != 0) return refused("taking a turn in", path_, "flock");
  return mine;
}

}  // namespace wirespool::storage
