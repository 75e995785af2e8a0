// SPDX-License-Identifier: BSD-3-Clause
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wirespool::storage {
namespace {

// glibc has no wrapper. The kernel wants mode 0 where nothing is made (openat2(2), EINVAL).
int openat2(int directory, const char* name, int flags, mode_t mode, std::uint64_t resolve) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags));
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof how));
}

bool is_link(const Directory& directory, const std::string& name) noexcept {
  struct stat status {};
  return ::fstatat(directory.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

FileDescriptor open_beneath(const Directory& directory, const std::string& name, int flags, mode_t mode) noexcept {
  if (!is_plain_name(name)) {
    errno = EINVAL;
    return {};
  }
  FileDescriptor fd(openat2(directory.fd(), name.c_str(), flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
  if (fd || (errno != ENOSYS && errno != EPERM)) return fd;
  return FileDescriptor(::openat(directory.fd(), name.c_str(), flags | O_NOFOLLOW, mode));
}

std::unexpected<IoError> not_opened(std::string_view doing, const Directory& directory, const std::string& name,
                                    std::string_view call, int code) {
  std::string why;
  if (!is_plain_name(name))
    why = "it is no name of a file in a directory: ";
  else if ((code == ELOOP || code == EEXIST || code == ENOTDIR) && is_link(directory, name))
    why = "it is a symbolic link, which is not followed: ";
  return refused(doing, directory.path_of(name), why.append(call), code);
}

bool has_openat2() noexcept {
  return static_cast<bool>(FileDescriptor(openat2(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0, 0)));
}

}  // namespace wirespool::storage
