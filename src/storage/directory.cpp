// SPDX-License-Identifier: BSD-3-Clause
#include "storage/directory.hpp"
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

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

Directory::Home Directory::home_of(const FileDescriptor& fd) {
  struct stat status {};
  struct statfs system {};
  if (::fstat(fd.get(), &status) != 0 || ::fstatfs(fd.get(), &system) != 0) return {};
  Home home{.device = status.st_dev, .identity = 0, .real_path = std::string(PATH_MAX, '\0')};
  std::memcpy(&home.identity, &system.f_fsid, std::min(sizeof home.identity, sizeof system.f_fsid));
  const auto link = "/proc/self/fd/" + std::to_string(fd.get());
  const auto length = ::readlink(link.c_str(), home.real_path.data(), home.real_path.size());
  home.real_path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return home;
}

// A file that is no directory takes its place: nothing can be made in it by mistake.
std::expected<void, IoError> Directory::let_go() const {
  const FileDescriptor nothing(::open("/dev/null", O_PATH | O_CLOEXEC));
  if (!nothing) return refused("letting go of", path_, "open /dev/null");
  if (::dup3(nothing.get(), fd_.get(), O_CLOEXEC) < 0) return refused("letting go of", path_, "dup3");
  return {};
}

std::expected<void, IoError> Directory::open_again(const std::string& witness) const {
  const FileDescriptor fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return refused("opening again", path_, "open");
  const Home now = home_of(fd);
  if (now.real_path != home_.real_path)
    return refused("opening again", path_, "it leads to " + now.real_path + " now", ESTALE);
  const bool same = home_.identity != 0 ? now.identity == home_.identity : now.device == home_.device;
  if (!same && ::faccessat(fd.get(), witness.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0)
    return refused("opening again", path_, "another file system is there, without " + witness, ESTALE);
  if (::dup3(fd.get(), fd_.get(), O_CLOEXEC) < 0) return refused("opening again", path_, "dup3");
  return {};
}

}  // namespace wirespool::storage
