// SPDX-License-Identifier: BSD-3-Clause
#include "storage/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

namespace wirespool::storage {

// A new descriptor is the lowest number that is free (open(2)), so those below the limit are what counts.
std::size_t free_descriptors() noexcept {
  constexpr rlim_t most = 4096;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const auto numbers = static_cast<int>(std::min(limit.rlim_cur, most));
  std::size_t free = 0;
  for (int number = 0; number < numbers; ++number) free += ::fcntl(number, F_GETFD) < 0 ? 1 : 0;
  return free;
}

}  // namespace wirespool::storage
