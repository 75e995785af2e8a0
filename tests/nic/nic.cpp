// SPDX-License-Identifier: BSD-3-Clause
#include "nic.hpp"

#include <time.h>

#include <cstdio>
#include <cstdlib>

namespace wirespool::test {
namespace {

std::uint64_t now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

Nic* made() {
  const char* path = std::getenv("WIRESPOOL_NIC");
  if (path == nullptr) return nullptr;
  auto* nic = new Nic;  // lives as long as the process: DPDK's threads may still call
  nic->persona = read_persona(path);
  nic->mtu = nic->persona.info.mtu;
  nic->xstats = std::vector<std::atomic<std::uint64_t>>(nic->persona.xstats.size());
  return nic;
}

}  // namespace

Nic* Nic::get() {
  static Nic* const nic = made();
  return nic;
}

void Nic::log(const std::string& line) {
  static std::FILE* const file = [] {
    const char* path = std::getenv("WIRESPOOL_NIC_LOG");
    return path ? std::fopen(path, "ae") : nullptr;
  }();
  if (file == nullptr) return;
  std::fprintf(file, "%s\n", line.c_str());
  std::fflush(file);
}

void Nic::fire(rte_eth_event_type event) {
  std::vector<Callback> now;
  {
    const std::lock_guard guard(lock);
    now = callbacks;
  }
  for (const auto& callback : now)
    if (callback.event == event) callback.function(port, event, callback.argument, nullptr);
}

void Nic::fire_bus_removal() {
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  (void)rte_eth_dev_get_name_by_port(port, name);
  std::vector<std::pair<rte_dev_event_cb_fn, void*>> now;
  {
    const std::lock_guard guard(lock);
    now = bus_callbacks;
  }
  for (const auto& [function, argument] : now) function(name, RTE_DEV_EVENT_REMOVE, argument);
}

void Nic::forget_counts() { nic_missed = nic_errors = no_mbuf = 0; }

std::uint64_t Nic::clock(Persona::Clock which) const {
  const auto offset = static_cast<std::uint64_t>(clock_offset.load());
  switch (which) {
    case Persona::Clock::free:
      return now(CLOCK_MONOTONIC) + 3'600'000'000'000 + offset;
    case Persona::Clock::realtime:
      return now(CLOCK_REALTIME) + offset;
    case Persona::Clock::monotonic:
      return now(CLOCK_MONOTONIC_RAW);
    case Persona::Clock::split: {
      constexpr std::uint64_t second = 1'000'000'000;
      const std::uint64_t utc = now(CLOCK_REALTIME);
      return utc % second << 32 | utc / second;
    }
    case Persona::Clock::none:
      break;
  }
  return 0;
}

}  // namespace wirespool::test
