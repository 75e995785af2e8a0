// SPDX-License-Identifier: BSD-3-Clause
#include "storage/directory_lock.hpp"
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

// One who only asks whether it is held lets go much sooner.
constexpr unsigned most_refusals = 10;
constexpr std::chrono::milliseconds between_refusals{5};

enum class Grip { held, held_elsewhere, gone, not_ours, failed };

// Between our open(2) and our flock(2) the former owner may have removed the name: then we hold a file that nobody else
// will ever find, while the next one makes a new file and holds that. Only a file that still has the name counts. One
// that has other names too, or is no regular file, is not ours: somebody may have put it there to have it emptied.
Grip grip(int directory, int lock, const char* name) noexcept {
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? Grip::held_elsewhere : Grip::failed;
  struct stat ours {};
  struct stat named {};
  if (::fstat(lock, &ours) != 0) return Grip::failed;
  if (::fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? Grip::gone : Grip::failed;
  if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) return Grip::gone;
  return S_ISREG(ours.st_mode) && ours.st_nlink == 1 ? Grip::held : Grip::not_ours;
}

std::string name_of_lock(const std::string& stem) { return "." + stem + ".lock"; }

std::string owner_of(int lock) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(lock, text.data(), text.size(), 0);
  const auto end = std::find(text.begin(), text.begin() + std::max<ssize_t>(length, 0), '\n');
  // The lock may have been taken just now, before the process id was written.
  return end == text.begin() ? "another process" : "process " + std::string(text.begin(), end);
}

std::unexpected<IoError> taken_by_another(const Directory& directory, const std::string& stem, int lock) {
  return std::unexpected(IoError{
      "locking " + directory.path() + " for '" + stem + "': held by " + owner_of(lock) + ": flock", EWOULDBLOCK});
}

std::expected<void, IoError> write_owner(int lock, const std::string& path) {
  const std::string owner = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock, 0) != 0) return refused("locking", path, "ftruncate");
  const ssize_t written = ::pwrite(lock, owner.data(), owner.size(), 0);
  if (written < 0) return refused("locking", path, "write");
  if (static_cast<std::size_t>(written) < owner.size()) return refused("locking", path, "write", ENOSPC);
  return {};
}

}  // namespace

DirectoryLock::DirectoryLock(FileDescriptor directory, FileDescriptor lock, std::string name)
    : directory_(std::move(directory)), lock_(std::move(lock)), name_(std::move(name)) {}

std::expected<DirectoryLock, IoError> DirectoryLock::take(const Directory& directory, const std::string& stem) {
  const auto name = name_of_lock(stem);
  const std::string path = directory.path_of(name);
  FileDescriptor own_directory(::fcntl(directory.fd(), F_DUPFD_CLOEXEC, 0));
  if (!own_directory) return refused("locking", path, "fcntl F_DUPFD_CLOEXEC");
  unsigned refusals = 0;
  for (;;) {
    FileDescriptor lock = open_beneath(directory, name, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
    if (!lock) return not_opened("locking", directory, name, "open");
    const Grip got = grip(directory.fd(), lock.get(), name.c_str());
    if (got == Grip::failed) return refused("locking", path, "flock");
    if (got == Grip::not_ours) return refused("locking", path, "it is no file of one name", EMLINK);
    if (got == Grip::held_elsewhere) {
      if (++refusals == most_refusals) return taken_by_another(directory, stem, lock.get());
      std::this_thread::sleep_for(between_refusals);
      continue;
    }
    if (got == Grip::gone) continue;
    DirectoryLock taken(std::move(own_directory), std::move(lock), name);
    if (auto written = write_owner(taken.lock_.get(), path); !written) return std::unexpected(written.error());
    return taken;
  }
}

bool DirectoryLock::held(const std::string& directory, const std::string& stem) {
  const auto path = directory + "/" + name_of_lock(stem);
  const FileDescriptor lock(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  if (this == &other) return *this;
  release();
  directory_ = std::move(other.directory_);
  lock_ = std::move(other.lock_);
  name_ = std::move(other.name_);
  return *this;
}

DirectoryLock::~DirectoryLock() { release(); }

// The name is removed while the lock is still held, so nobody can lock a file that is about to vanish.
void DirectoryLock::release() noexcept {
  if (!lock_) return;
  ::unlinkat(directory_.get(), name_.c_str(), 0);
  lock_.reset();
}

}  // namespace wirespool::storage
