// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>

#include "plan/sizing.hpp"
#include "policy/idle_pace.hpp"

namespace wirespool::plan {
namespace {

// README, "Idle lcores": what an RX lcore takes of a CPU while nothing comes, by how long its ring lasts at line rate;
// a writer lcore took 12 with each of them, as it slept for half of what its drive's writes last.
struct IdleRow {
  std::uint64_t ring_ns;
  double percent;
};
constexpr std::array<IdleRow, 5> idle_rows{{{68'812, 95}, {137'625, 87}, {275'251, 20}, {550'502, 10}, {1'101'004, 5}}};
constexpr std::uint64_t writer_slept_ns = 262'000;
constexpr double writer_percent = 12;

constexpr double polling_percent = 100;

}  // namespace

CpuTime cpu_time(const Demand& demand, const CapturePlan& plan) {
  CpuTime cpu;
  if (demand.idle == Idle::poll) {
    cpu.idle_rx_percent = cpu.idle_writer_percent = cpu.busy_percent = polling_percent;
    return cpu;
  }
  cpu.ring_ns = policy::filled_after_ns(plan.ports.front().rx_desc, port_mbits(demand));
  for (const auto& row : idle_rows)
    if (row.ring_ns <= cpu.ring_ns) cpu.idle_rx_percent = row.percent;
  const auto shortest =
      std::ranges::min(plan.writers, {}, [](const PlannedWriter& writer) { return writer.idle.longest_ns; });
  if (shortest.idle.longest_ns >= writer_slept_ns) cpu.idle_writer_percent = writer_percent;
  cpu.rx_sleep_ns = plan.rx_lcores.front().idle.longest_ns;
  cpu.writer_sleep_ns = shortest.idle.longest_ns;
  return cpu;
}

}  // namespace wirespool::plan
