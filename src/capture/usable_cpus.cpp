// SPDX-License-Identifier: BSD-3-Clause
#include "capture/usable_cpus.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace wirespool::capture {
namespace {

// sched_setaffinity(2): EINVAL if the mask has no CPU that the cpuset permits.
bool may_run_on(unsigned cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  return ::sched_setaffinity(0, sizeof(only), &only) == 0;
}

}  // namespace

std::vector<unsigned> usable_cpus() {
  std::vector<unsigned> usable;
  const auto configured = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
  std::thread([&] {
    for (unsigned cpu = 0; cpu < std::min<unsigned>(configured, CPU_SETSIZE); ++cpu) {
      if (may_run_on(cpu)) usable.push_back(cpu);
    }
  }).join();
  return usable;
}

}  // namespace wirespool::capture
