// SPDX-License-Identifier: BSD-3-Clause
#include "capture/own_limits.hpp"

#include <sys/resource.h>

#include <filesystem>

namespace wirespool::capture {
namespace {

std::uint64_t soft_limit(__rlimit_resource resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return ~std::uint64_t{0};
  return limit.rlim_cur;
}

// 0 where /proc does not say.
std::uint64_t open_descriptors() {
  std::uint64_t open = 0;
  std::error_code unreadable;
  std::filesystem::directory_iterator at("/proc/self/fd", unreadable);
  for (; !unreadable && at != std::filesystem::directory_iterator(); at.increment(unreadable)) ++open;
  return open;
}

}  // namespace

plan::ProcessLimits own_limits() { return {soft_limit(RLIMIT_NOFILE), soft_limit(RLIMIT_FSIZE), open_descriptors()}; }

}  // namespace wirespool::capture
