// SPDX-License-Identifier: BSD-3-Clause
#include "capture/rx_lcore.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>

#include "capture/clock.hpp"

namespace wirespool::capture {
namespace {

// Receive calls in a row without a packet that make an RxQueue empty at a stop; drivers may return 0 once for other
// reasons.
constexpr unsigned empty_enough = 4;

constexpr std::uint64_t ticks_per_second = 100;

}  // namespace

RxLcore::RxLcore(RxLcoreSetup setup)
    : setup_(std::move(setup)), nic_lines_(setup_.queues.size()), nic_versions_(setup_.queues.size()) {}

void RxLcore::run() noexcept {
  stages_.start();
  while (!setup_.stop->stopping())
    for (auto& queue : setup_.queues) poll(queue);
  if (!setup_.allowance || !setup_.allowance->used_up())
    for (auto& queue : setup_.queues) drain(queue);
  setup_.outlet->finish();
  done_.store(true, std::memory_order_release);
}

void RxLcore::drain(RxQueue& queue) noexcept {
  unsigned left = queue.descriptors, empty = 0;
  while (left && empty < empty_enough) {
    const unsigned received = poll(queue);
    empty = received ? 0 : empty + 1;
    left -= std::min(left, received);
  }
}

unsigned RxLcore::poll(RxQueue& queue) noexcept {
  const unsigned received =
      rte_eth_rx_burst(queue.port, queue.queue, mbufs_.data(), static_cast<std::uint16_t>(setup_.burst));
  if (received) stages_.lap(setup_.counters->cycles.receive);
  const auto run = time_of(received);
  ++setup_.counters->polls;
  if (received == 0) {
    ++setup_.counters->empty_polls;
    stages_.lap(setup_.counters->cycles.idle);
    return 0;
  }
  stamp(queue, received, run);
  const unsigned kept = setup_.allowance ? within_allowance(received) : received;
  count(queue, kept);
  stages_.lap(setup_.counters->cycles.stamp);
  setup_.outlet->deliver(mbufs_.data(), kept);
  stages_.lap(setup_.counters->cycles.deliver);
  if (setup_.allowance && setup_.allowance->used_up()) setup_.stop->stop();
  return received;
}

policy::StampRun RxLcore::time_of(unsigned received) noexcept {
  const auto ticks = read_tsc();
  const auto epoch = line_.epoch;
  setup_.tsc_clock->refresh(line_, line_version_);
  if (line_.epoch != epoch) [[unlikely]] {
    stamper_.restart();
    last_nic_ns_ = 0;
  }
  const auto now = line_.to_utc(ticks);
  if (ticks.count >= next_tick_) [[unlikely]] {
    next_tick_ = ticks.count + rte_get_tsc_hz() / ticks_per_second;
    setup_.outlet->tick(now);
  }
  return stamper_.polled(now, received);
}

void RxLcore::stamp(const RxQueue& queue, unsigned received, policy::StampRun run) noexcept {
  if (queue.nic_clock) {
    stamp_from_nic(queue, received, run);
    return;
  }
  for (unsigned i = 0; i < received; ++i) {
    setup_.stamp_field.of(mbufs_[i]) = run.first_ns;
    run.first_ns += run.step_ns;
  }
}

// The NIC's stamps, in ticks of its clock, become UTC in place. A frame it did not stamp keeps the poll's time. Equal
// stamps (a coarse clock) are told apart by a nanosecond, so that the order of an RxQueue can be read off its stamps.
void RxLcore::stamp_from_nic(const RxQueue& queue, unsigned received, policy::StampRun run) noexcept {
  const auto index = static_cast<std::size_t>(&queue - setup_.queues.data());
  queue.nic_clock->refresh(nic_lines_[index], nic_versions_[index]);
  const policy::ClockLine line = nic_lines_[index];
  for (unsigned i = 0; i < received; ++i) {
    std::uint64_t& stamp = setup_.stamp_field.of(mbufs_[i]);
    const bool stamped = mbufs_[i]->ol_flags & setup_.stamp_field.rx_flag;
    const std::uint64_t utc = stamped ? line.to_utc({stamp}).ns : run.first_ns + i * run.step_ns;
    stamp = last_nic_ns_ = std::max(utc, last_nic_ns_ + 1);
  }
}

// What comes in the Burst that reaches --packets, behind the last one asked for, is counted and freed.
unsigned RxLcore::within_allowance(unsigned received) noexcept {
  const unsigned kept = setup_.allowance->take(received);
  if (kept == received) return kept;
  setup_.counters->beyond_limit.add(received - kept);
  free_burst(mbufs_.data() + kept, received - kept);
  return kept;
}

void RxLcore::count(const RxQueue& queue, unsigned packets) noexcept {
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < packets; ++i) bytes += mbufs_[i]->pkt_len;
  queue.counters->packets.add(packets);
  queue.counters->bytes.add(bytes);
  setup_.counters->received.add(packets);
  setup_.counters->received_bytes.add(bytes);
  if (setup_.allowance) setup_.allowance->take_bytes(bytes);
}

}  // namespace wirespool::capture
