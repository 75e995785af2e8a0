// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/usable_cpus.hpp"

#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <thread>

namespace wirespool::dpdk {
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

std::vector<unsigned> own_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

std::vector<unsigned> spare_cpus(const plan::CapturePlan& plan, const std::vector<unsigned>& cpus) {
  std::vector<unsigned> polling;
  for (const auto& rx : plan.rx_lcores) polling.push_back(rx.lcore);
  for (const auto& writer : plan.writers) polling.push_back(writer.lcore);
  std::vector<unsigned> spare;
  std::ranges::copy_if(cpus, std::back_inserter(spare), [&](unsigned cpu) {
    return std::ranges::none_of(polling, [cpu](unsigned lcore) {
      const rte_cpuset_t set = rte_lcore_cpuset(lcore);
      return CPU_ISSET(cpu, &set);
    });
  });
  return spare.empty() ? cpus : spare;
}

}  // namespace wirespool::dpdk
