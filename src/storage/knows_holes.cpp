// SPDX-License-Identifier: BSD-3-Clause
#include "storage/knows_holes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage/file_descriptor.hpp"

namespace wirespool::storage {

bool knows_holes(const Directory& directory) noexcept {
  constexpr off_t some_pages = 1 << 20;
  const FileDescriptor fd(::openat(directory.fd(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd || ::ftruncate(fd.get(), some_pages) != 0) return false;
  return ::lseek(fd.get(), 0, SEEK_DATA) < 0 && errno == ENXIO;
}

}  // namespace wirespool::storage
