// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/clock.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>

namespace wirespool::traffic {

void sleep_until(std::uint64_t moment_ns) noexcept {
  constexpr std::uint64_t longest_ns = 100'000'000, second_ns = 1'000'000'000;
  const auto until = std::min(moment_ns, steady_ns() + longest_ns);
  const timespec time{static_cast<time_t>(until / second_ns), static_cast<long>(until % second_ns)};
  (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

std::uint64_t thread_cpu_ns() noexcept {
  rusage usage{};
  if (::getrusage(RUSAGE_THREAD, &usage) != 0) return 0;
  const auto ns = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_usec) * 1000u;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

}  // namespace wirespool::traffic
