// SPDX-License-Identifier: BSD-3-Clause
#include "storage/marker.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace wirespool::storage {

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
