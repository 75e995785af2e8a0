// SPDX-License-Identifier: BSD-3-Clause
//
// How far apart two CPUs are: line_round_trip CPU CPU
// One thread on each; a cache line goes there, another comes back, 200,000 times. Prints JSON: nanoseconds per round.
// Two threads of a core, two cores under one cache and two cores of different dies differ by a factor of ten; where
// CPUs are virtual, it changes when the hypervisor moves them.
#include <fmt/core.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

constexpr unsigned rounds = 200'000;

// Far enough apart that no prefetcher takes one for the other's neighbour.
struct alignas(256) Line {
  std::atomic<unsigned> round{0};
};

void go_to(const std::string& cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(std::stoul(cpu), &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
    throw std::invalid_argument("CPU " + cpu + " is not to be had");
}

double round_trip_ns(const std::string& here, const std::string& there) {
  static Line out, back;
  go_to(there);  // before the thread begins, which inherits it: so that what is wrong is said here
  std::thread answer([] {
    for (unsigned i = 1; i <= rounds; ++i) {
      while (out.round.load(std::memory_order_acquire) != i) continue;
      back.round.store(i, std::memory_order_release);
    }
  });
  go_to(here);
  const auto begin = std::chrono::steady_clock::now();
  for (unsigned i = 1; i <= rounds; ++i) {
    out.round.store(i, std::memory_order_release);
    while (back.round.load(std::memory_order_acquire) != i) continue;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  answer.join();
  return took.count() / rounds;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::invalid_argument("two CPUs are needed: line_round_trip 0 1");
    fmt::print("{{\"round_trip_ns\":{:.1f}}}\n", round_trip_ns(argv[1], argv[2]));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "line_round_trip: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
