// SPDX-License-Identifier: BSD-3-Clause
#include "storage/direct_file.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "storage/refused.hpp"

namespace wirespool::storage {
namespace {

// What people sent is nobody's business but the owner's and the group's.
constexpr mode_t file_mode = 0640;

int rename_without_replacing(int directory, const char* from, const char* to) noexcept {
  return static_cast<int>(::syscall(SYS_renameat2, directory, from, directory, to, RENAME_NOREPLACE));
}

// renameat2(2): EINVAL from a file system that does not know the flag, ENOSYS from a sandbox that does not know the
// call.
bool rename_flag_is_unknown(int code) noexcept { return code == EINVAL || code == ENOSYS; }

}  // namespace

DirectFile::DirectFile(const Directory& directory, FileDescriptor fd, std::string hidden_name)
    : fd_(std::move(fd)),
      directory_fd_(directory.fd()),
      directory_path_(directory.path()),
      hidden_name_(std::move(hidden_name)) {}

std::expected<DirectFile, IoError> DirectFile::create(const Directory& directory, std::string hidden_name, Mode mode) {
  const std::string path = directory.path_of(hidden_name);
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | (mode == Mode::direct ? O_DIRECT : 0);
  FileDescriptor fd(::openat(directory.fd(), hidden_name.c_str(), flags, file_mode));
  if (!fd) {
    const int code = errno;
    // open(2), EINVAL for O_DIRECT: the kernel may have made the file before it asked the file system. O_EXCL would
    // have given EEXIST for a file that was there before, so this one is ours.
    if (code == EINVAL && mode == Mode::direct) ::unlinkat(directory.fd(), hidden_name.c_str(), 0);
    return refused("creating", path, mode == Mode::direct ? "open with O_DIRECT" : "open", code);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    ::unlinkat(directory.fd(), hidden_name.c_str(), 0);
    return refused("creating", path, "flock", code);
  }
  return DirectFile(directory, std::move(fd), std::move(hidden_name));
}

std::expected<DirectFile, IoError> DirectFile::adopt(const Directory& directory, std::string hidden_name) {
  const std::string path = directory.path_of(hidden_name);
  FileDescriptor fd(::openat(directory.fd(), hidden_name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return refused("repairing", path, "open");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return refused("repairing", path, "flock");
  // Between open(2) and flock(2) its capture may have sealed it: then the lock is free and the name is gone.
  struct stat ours {};
  struct stat named {};
  if (::fstat(fd.get(), &ours) != 0) return refused("repairing", path, "fstat");
  if (::fstatat(directory.fd(), hidden_name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0)
    return refused("repairing", path, "fstatat");
  if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) return refused("repairing", path, "fstatat", ENOENT);
  // It will be cut: a second name would have its file cut too, wherever and whosever that is.
  if (!S_ISREG(ours.st_mode)) return refused("repairing", path, "it is no regular file", EINVAL);
  if (ours.st_nlink != 1) return refused("repairing", path, "the file has another name too", EMLINK);
  return DirectFile(directory, std::move(fd), std::move(hidden_name));
}

std::expected<void, IoError> DirectFile::preallocate(std::uint64_t offset, std::uint64_t bytes) {
  int result = 0;
  do {
    result = ::fallocate(fd_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  const int code = errno;
  return refused("allocating", path(), "fallocate", code == ENOSYS ? EOPNOTSUPP : code);
}

std::expected<void, IoError> DirectFile::truncate(std::uint64_t length) {
  int result = 0;
  do {
    result = ::ftruncate(fd_.get(), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return refused("truncating", path(), "ftruncate");
  return {};
}

std::expected<void, IoError> DirectFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return refused("syncing", path(), "fdatasync");
  return {};
}

std::expected<void, IoError> DirectFile::rename_to(const std::string& final_name) {
  const char* from = hidden_name_.c_str();
  const char* to = final_name.c_str();
  if (rename_without_replacing(directory_fd_, from, to) == 0) return {};
  if (!rename_flag_is_unknown(errno)) return refused("sealing", path(), "renameat2 to " + final_name);
  if (::linkat(directory_fd_, from, directory_fd_, to, 0) != 0)
    return refused("sealing", path(), "linkat to " + final_name);
  if (::unlinkat(directory_fd_, from, 0) != 0) return refused("sealing", path(), "unlinkat");
  return {};
}

std::expected<void, IoError> DirectFile::seal(std::uint64_t length, const std::string& final_name) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(length)) != 0) return refused("sealing", path(), "ftruncate");
  if (::fdatasync(fd_.get()) != 0) return refused("sealing", path(), "fdatasync");
  if (auto renamed = rename_to(final_name); !renamed) return renamed;
  fd_.reset();
  if (::fsync(directory_fd_) != 0 && errno != EINVAL) return refused("sealing", path(), "fsync of the directory");
  return {};
}

std::expected<void, IoError> DirectFile::discard() {
  if (::unlinkat(directory_fd_, hidden_name_.c_str(), 0) != 0) return refused("discarding", path(), "unlinkat");
  fd_.reset();
  return {};
}

}  // namespace wirespool::storage
