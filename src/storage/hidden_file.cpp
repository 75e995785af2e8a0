// SPDX-License-Identifier: BSD-3-Clause
#include "storage/hidden_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "storage/directory_lock.hpp"
#include "storage/file_descriptor.hpp"

namespace wirespool::storage {
HiddenFileUse use_of_hidden_file(const std::string& directory, const std::string& name, const std::string& stem) {
  const auto path = directory + '/' + name;
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return HiddenFileUse::cannot_tell;
  // Its capture must not find the lock taken by somebody who was only asking.
  if (status.st_size == 0 && DirectoryLock::held(directory, stem)) return HiddenFileUse::in_use;
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return HiddenFileUse::left_behind;
  return errno == EWOULDBLOCK ? HiddenFileUse::in_use : HiddenFileUse::cannot_tell;
}

}  // namespace wirespool::storage
