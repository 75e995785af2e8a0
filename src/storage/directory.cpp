// SPDX-License-Identifier: BSD-3-Clause
#include "storage/directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "storage/refused.hpp"

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

}  // namespace wirespool::storage
