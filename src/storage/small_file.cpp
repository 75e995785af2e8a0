// SPDX-License-Identifier: BSD-3-Clause
#include "storage/small_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage/io_error.hpp"

namespace wirespool::storage {

namespace {

// 0, or the errno of the call that failed. write(2) may take less than asked for (a signal, a nearly full drive).
int write_all(int fd, std::span<const std::byte> content) noexcept {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written > 0) content = content.subspan(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) return errno;
    if (written == 0) return EIO;
  }
  return 0;
}

std::expected<void, IoError> write_temporary(const Directory& directory, const std::string& name,
                                             std::span<const std::byte> content) {
  ::unlinkat(directory.fd(), name.c_str(), 0);  // left by a crash
  FileDescriptor fd(::openat(directory.fd(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!fd) return refused("writing", directory.path_of(name), "open");
  if (const int code = write_all(fd.get(), content); code != 0)
    return refused("writing", directory.path_of(name), "write", code);
  if (::fdatasync(fd.get()) != 0) return refused("writing", directory.path_of(name), "fdatasync");
  return {};
}

}  // namespace

std::expected<void, IoError> write_small_file(const Directory& directory, const std::string& name,
                                              std::span<const std::byte> content) {
  const std::string temporary = "." + name + ".tmp";
  auto written = write_temporary(directory, temporary, content);
  if (written && ::renameat(directory.fd(), temporary.c_str(), directory.fd(), name.c_str()) != 0)
    written = refused("writing", directory.path_of(name), "renameat");
  if (!written) {
    ::unlinkat(directory.fd(), temporary.c_str(), 0);
    return written;
  }
  return directory.sync();
}

bool put_marker(const Directory& directory, const std::string& name) noexcept {
  const FileDescriptor fd(::openat(directory.fd(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  return fd || errno == EEXIST;
}

void remove_marker(const Directory& directory, const std::string& name) noexcept {
  ::unlinkat(directory.fd(), name.c_str(), 0);
}

bool is_there(const Directory& directory, const std::string& name) noexcept {
  return ::faccessat(directory.fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace wirespool::storage
