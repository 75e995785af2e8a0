// SPDX-License-Identifier: BSD-3-Clause
#include "storage/direct_file.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <utility>
#include <vector>

#include "storage/beneath.hpp"
#include "storage/directory_lock.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

namespace {

// Captured packets are for the owner and the group only.
constexpr mode_t file_mode = 0640;

constexpr std::size_t copy_bytes = std::size_t{1} << 20;  // at a time

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
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (mode == Mode::direct ? O_DIRECT : 0);
  FileDescriptor fd = open_beneath(directory, hidden_name, flags, file_mode);
  if (!fd) {
    const int code = errno;
    // open(2), EINVAL for O_DIRECT: the kernel may have made the file before it asked the file system. O_EXCL would
    // have given EEXIST for a file that was there before, so this one is ours.
    if (code == EINVAL && mode == Mode::direct) ::unlinkat(directory.fd(), hidden_name.c_str(), 0);
    return not_opened("creating", directory, hidden_name, mode == Mode::direct ? "open with O_DIRECT" : "open", code);
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
  FileDescriptor fd = open_beneath(directory, hidden_name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (!fd) return not_opened("repairing", directory, hidden_name, "open");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return refused("repairing", path, "flock");
  // Between our open(2) and flock(2) its capture may have sealed it: then the lock is free and the name is gone.
  struct stat ours {};
  struct stat named {};
  if (::fstat(fd.get(), &ours) != 0) return refused("repairing", path, "fstat");
  if (::fstatat(directory.fd(), hidden_name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0)
    return refused("repairing", path, "fstatat");
  if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) return refused("repairing", path, "fstatat", ENOENT);
  // It will be cut and written to: so it must be a regular file with no other name.
  if (!S_ISREG(ours.st_mode)) return refused("repairing", path, "it is no file", EINVAL);
  if (ours.st_nlink > 1) return refused("repairing", path, "it is a file that has other names too", EMLINK);
  return DirectFile(directory, std::move(fd), std::move(hidden_name));
}

std::uint64_t DirectFile::inode() const noexcept {
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 ? status.st_ino : 0;
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

std::expected<void, IoError> DirectFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused("writing to", path(), "pwrite");
    if (written == 0) return refused("writing to", path(), "pwrite", ENOSPC);
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<void, IoError> DirectFile::truncate(std::uint64_t length) {
  int result = 0;
  do {
    result = ::ftruncate(fd_.get(), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return refused("truncating", path(), "ftruncate");
  return {};
}

std::expected<void, IoError> DirectFile::append(std::uint64_t offset, std::span<const std::byte> bytes) {
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT) != 0) return refused("writing", path(), "fcntl");
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused("writing", path(), "pwrite", written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

// Twice: while a file system gives up, a sync may succeed though what it waited for was thrown away (XFS that shuts
// down: xlog_cil_force_seq() in fs/xfs/xfs_log_cil.c gives 0 then; ext4 that aborts its journal:
// jbd2_complete_transaction() in fs/jbd2/journal.c finds no such transaction any more). One that begins after the file
// system knows of it is refused, and has nothing to write. ext4 knows milliseconds later, when it has said so on the
// console (ext4_handle_error() in fs/ext4/super.c), but for whoever asks for room in its journal: a new date does. That
// itself is refused or in vain, and no matter; the second sync says so.
std::expected<void, IoError> DirectFile::sync() {
  if (auto done = sync_once(); !done) return done;
  (void)::futimens(fd_.get(), nullptr);
  return sync_once();
}

std::expected<void, IoError> DirectFile::sync_once() {
  int result = 0;
  do {
    result = ::fdatasync(fd_.get());
  } while (result != 0 && errno == EINTR);
  if (result != 0) return refused("syncing", path(), "fdatasync");
  return {};
}

bool DirectFile::lost_its_name() const noexcept { return look_up(hidden_name_) == ENOENT; }

bool DirectFile::has_no_name() const noexcept {
  struct stat ours {};
  return ::fstat(fd_.get(), &ours) == 0 && ours.st_nlink == 0;
}

// 0: the name leads to this file; ENOENT: to nothing, or to another file; else why it cannot be known.
int DirectFile::look_up(const std::string& name) const noexcept {
  struct stat ours {};
  struct stat named {};
  if (::fstat(fd_.get(), &ours) != 0) return errno;
  if (::fstatat(directory_fd_, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev ? 0 : ENOENT;
}

// A rename that was refused may have happened all the same. What has the hidden name now may be another file.
std::expected<void, IoError> DirectFile::rename_to(const std::string& final_name) {
  if (!is_plain_name(final_name)) return refused("sealing", path(), "it would leave its directory", EINVAL);
  if (look_up(final_name) == 0) return {};
  if (const int code = look_up(hidden_name_); code != 0) {
    return refused("sealing", path(), code == ENOENT ? "it was removed" : "fstatat", code);
  }
  const char* from = hidden_name_.c_str();
  const char* to = final_name.c_str();
  if (::renameat2(directory_fd_, from, directory_fd_, to, RENAME_NOREPLACE) == 0) return {};
  if (!rename_flag_is_unknown(errno)) return refused("sealing", path(), "renameat2 to " + final_name);
  if (::linkat(directory_fd_, from, directory_fd_, to, 0) != 0)
    return refused("sealing", path(), "linkat to " + final_name);
  if (::unlinkat(directory_fd_, from, 0) != 0) return refused("sealing", path(), "unlinkat");
  return {};
}

std::expected<void, IoError> DirectFile::sync_directory() {
  if (::fsync(directory_fd_) != 0 && errno != EINVAL) return refused("sealing", path(), "fsync of the directory");
  return {};
}

std::expected<void, IoError> DirectFile::seal(std::uint64_t length, const std::string& final_name) {
  if (auto cut = truncate(length); !cut) return refused("sealing", path(), "ftruncate", cut.error().code);
  if (auto synced = sync(); !synced) return refused("sealing", path(), "fdatasync", synced.error().code);
  if (auto renamed = rename_to(final_name); !renamed) return renamed;
  fd_.reset();
  return sync_directory();
}

std::expected<void, IoError> DirectFile::rescue(const Directory& directory, std::uint64_t length,
                                                const std::string& final_name) {
  if (auto made = directory.make_again(); !made) return made;
  if (look_up(final_name) == 0) return {};
  const std::string open_file = "/proc/self/fd/" + std::to_string(fd_.get());
  if (::linkat(AT_FDCWD, open_file.c_str(), directory_fd_, final_name.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  auto copy = create(directory, hidden_name_, Mode::buffered);
  if (!copy) return std::unexpected(copy.error());
  auto done = copy_to(*copy, length);
  if (done) done = copy->truncate(length);
  if (done) done = copy->sync();
  if (done) done = copy->rename_to(final_name);
  if (!done) (void)copy->discard();
  return done;
}

std::expected<void, IoError> DirectFile::copy_to(DirectFile& copy, std::uint64_t length) {
  if (::ioctl(copy.fd(), FICLONE, fd_.get()) == 0) return {};
  if (::fcntl(fd_.get(), F_SETFL, 0) != 0) return refused("copying", path(), "fcntl");  // from here on without O_DIRECT
  std::vector<std::byte> buffer(copy_bytes);
  for (std::uint64_t at = 0; at < length;) {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), length - at));
    const ssize_t got = ::pread(fd_.get(), buffer.data(), room, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return refused("copying", path(), "pread", got < 0 ? errno : EIO);
    for (ssize_t put = 0; put < got;) {
      const auto rest = static_cast<std::size_t>(got - put);
      const ssize_t written = ::pwrite(copy.fd(), buffer.data() + put, rest, static_cast<off_t>(at) + put);
      if (written < 0 && errno != EINTR) return refused("copying", path(), "pwrite");
      put += std::max<ssize_t>(written, 0);
    }
    at += static_cast<std::uint64_t>(got);
  }
  return {};
}

std::expected<void, IoError> DirectFile::discard() {
  if (::unlinkat(directory_fd_, hidden_name_.c_str(), 0) != 0 && errno != ENOENT) {
    return refused("discarding", path(), "unlinkat");
  }
  fd_.reset();
  return {};
}

HiddenFileUse use_of_hidden_file(const std::string& directory, const std::string& name, const std::string& stem) {
  const auto path = directory + '/' + name;
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return HiddenFileUse::cannot_tell;
  // A capture must not find its file's lock taken by one who only asks.
  if (status.st_size == 0 && DirectoryLock::held(directory, stem)) return HiddenFileUse::in_use;
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return HiddenFileUse::left_behind;
  return errno == EWOULDBLOCK ? HiddenFileUse::in_use : HiddenFileUse::cannot_tell;
}

}  // namespace wirespool::storage
