// SPDX-License-Identifier: BSD-3-Clause
#include "storage/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

constexpr mode_t file_mode = 0640;

// Asked of its name: that it cannot be opened for reading does not make it another file.
bool is_named(const struct stat& file, const std::string& name) {
  struct stat status {};
  return ::stat(name.c_str(), &status) == 0 && status.st_dev == file.st_dev && status.st_ino == file.st_ino;
}

// Its own links, and root's (/dev/stdout), are what the user means.
bool may_follow(const std::string& path) noexcept {
  struct stat link {};
  if (::lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode)) return false;
  return link.st_uid == 0 || link.st_uid == ::geteuid();
}

}  // namespace

std::expected<OutputFile, IoError> OutputFile::create(const std::string& path, std::span<const std::string> not_these) {
  // Not emptied before it is known to be none of those.
  const int follow = may_follow(path) ? 0 : O_NOFOLLOW;
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | follow, file_mode));
  if (!fd) return refused("writing", path, errno == ELOOP ? "it is a link of another user: open" : "open");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refused("writing", path, "fstat");
  if (std::ranges::any_of(not_these, [&status](const auto& name) { return is_named(status, name); }))
    return refused("writing", path, "it is one of the files to read", EEXIST);
  if (S_ISREG(status.st_mode) && status.st_nlink > 1)
    return refused("writing", path, "it is a file that has other names too", EMLINK);
  if (S_ISREG(status.st_mode) && ::ftruncate(fd.get(), 0) != 0) return refused("writing", path, "ftruncate");
  return OutputFile(std::move(fd), path);
}

std::expected<OutputFile, IoError> OutputFile::standard_output() {
  FileDescriptor fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd) return refused("writing", "standard output", "fcntl F_DUPFD_CLOEXEC");
  return OutputFile(std::move(fd), "standard output");
}

std::expected<void, IoError> OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused("writing", path_, "write", written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<void, IoError> OutputFile::close() {
  const int fd = fd_.release();
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) return refused("writing", path_, "close");
  return {};
}

}  // namespace wirespool::storage
