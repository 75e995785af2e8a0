// SPDX-License-Identifier: BSD-3-Clause
#include "machine/background.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace wirespool::machine {
namespace {

constexpr int background_nice = 10;

}  // namespace

void stay_in_background(const std::vector<unsigned>& cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus)
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  if (!cpus.empty()) (void)::sched_setaffinity(0, sizeof set, &set);
  // On Linux the nice value is a thread's own, and 0 is the calling one (setpriority(2), "C library/kernel
  // differences").
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), background_nice);
}

}  // namespace wirespool::machine
