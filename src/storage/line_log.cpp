// SPDX-License-Identifier: BSD-3-Clause
#include "storage/line_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

// Takes the `written` bytes of a line that did not fit off the end again, so that the log stays a list of whole lines.
void take_back(int fd, ssize_t written) noexcept {
  const off_t end = ::lseek(fd, 0, SEEK_CUR);
  if (end >= written && ::ftruncate(fd, end - written) != 0) return;
}

}  // namespace

std::expected<LineLog, IoError> LineLog::create(const Directory& directory, const std::string& name) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;
  FileDescriptor fd(::openat(directory.fd(), name.c_str(), flags, 0640));
  if (!fd) return refused("creating", directory.path_of(name), "open");
  return LineLog(std::move(fd), directory.path_of(name));
}

std::expected<void, IoError> LineLog::append(const std::string& line) {
  struct stat ours {};
  if (::fstat(fd_.get(), &ours) == 0 && ours.st_nlink == 0)
    return refused("appending to", path_, "it was removed", ENOENT);
  const std::string whole = line + '\n';
  ssize_t written = 0;
  do {
    written = ::write(fd_.get(), whole.data(), whole.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return refused("appending to", path_, "write");
  if (static_cast<std::size_t>(written) < whole.size()) {
    take_back(fd_.get(), written);
    return refused("appending to", path_, "write", ENOSPC);
  }
  return {};
}

std::expected<void, IoError> LineLog::sync() {
  if (::fdatasync(fd_.get()) != 0) return refused("syncing", path_, "fdatasync");
  return {};
}

}  // namespace wirespool::storage
