// SPDX-License-Identifier: BSD-3-Clause
#include "storage/hidden_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "storage/file_descriptor.hpp"

namespace wirespool::storage {
namespace {

// Between open(2) with O_CREAT and flock(2) lie microseconds; an overloaded machine gets some more.
constexpr time_t newborn_seconds = 5;

// Its capture must not find the lock taken by somebody who was only asking.
bool newborn(const struct stat& status) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  // A clock that was set back since would make it newborn for as long as it was ahead.
  return status.st_size == 0 && std::abs(now.tv_sec - status.st_ctim.tv_sec) < newborn_seconds;
}

}  // namespace

HiddenFileUse use_of_hidden_file(const std::string& path) noexcept {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return HiddenFileUse::cannot_tell;
  if (newborn(status)) return HiddenFileUse::in_use;
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return HiddenFileUse::left_behind;
  return errno == EWOULDBLOCK ? HiddenFileUse::in_use : HiddenFileUse::cannot_tell;
}

}  // namespace wirespool::storage
