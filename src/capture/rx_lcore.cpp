// SPDX-License-Identifier: BSD-3-Clause
#include "capture/rx_lcore.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <span>
#include <utility>

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
  audit();
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
  auto stamped = stamp(queue, received, run);
  if (setup_.allowance) keep_allowed(stamped);
  count(queue, stamped);
  stages_.lap(setup_.counters->cycles.stamp);
  setup_.outlet->deliver(stamped.burst);
  stages_.lap(setup_.counters->cycles.deliver);
  if (setup_.allowance && setup_.allowance->used_up()) setup_.stop->stop();
  return received;
}

// Between two Bursts: all of the last one has gone somewhere, none of the next one is counted yet.
void RxLcore::audit() noexcept {
  auto& counters = *setup_.counters;
  counters.audit.found(
      counters.received.get(),
      counters.ended_early.get() + counters.drop_handoff.get() + counters.drop_drive.get() + counters.handed.get(),
      setup_.outlet->held());
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
    audit();
  }
  return stamper_.polled(now, received);
}

// One pass over the mbufs: each gets its stamp and is seen.
template <typename StampOf>
RxLcore::Stamped RxLcore::stamp_each(unsigned received, StampOf stamp_of) noexcept {
  const StampField field = setup_.stamp_field;
  BurstLook look;
  for (rte_mbuf* mbuf : std::span(mbufs_).first(received)) {
    field.of(mbuf) = stamp_of(*mbuf);
    look.at(*mbuf);
  }
  return {{mbufs_.data(), received, look.simple_pool()}, look.bytes()};
}

RxLcore::Stamped RxLcore::stamp(const RxQueue& queue, unsigned received, policy::StampRun run) noexcept {
  if (queue.nic_clock) return stamp_from_nic(queue, received, run);
  return stamp_each(received, [next = run.first_ns, step = run.step_ns](const rte_mbuf&) mutable {
    return std::exchange(next, next + step);
  });
}

// The NIC's stamps, in ticks of its clock, become UTC in place. A frame it did not stamp keeps the poll's time. Equal
// stamps (a coarse clock) are told apart by a nanosecond, so that the order of an RxQueue can be read off its stamps.
RxLcore::Stamped RxLcore::stamp_from_nic(const RxQueue& queue, unsigned received, policy::StampRun run) noexcept {
  const auto index = static_cast<std::size_t>(&queue - setup_.queues.data());
  queue.nic_clock->refresh(nic_lines_[index], nic_versions_[index]);
  const policy::ClockLine line = nic_lines_[index];
  const StampField field = setup_.stamp_field;
  std::uint64_t last = last_nic_ns_, polled = run.first_ns;
  const auto stamped = stamp_each(received, [&](rte_mbuf& mbuf) {
    const std::uint64_t at_poll = std::exchange(polled, polled + run.step_ns);
    const std::uint64_t utc = mbuf.ol_flags & field.rx_flag ? line.to_utc({field.of(&mbuf)}).ns : at_poll;
    return last = std::max(utc, last + 1);
  });
  last_nic_ns_ = last;
  return stamped;
}

// What comes in the Burst that reaches --packets, behind the last one asked for, is counted and freed.
void RxLcore::keep_allowed(Stamped& stamped) noexcept {
  const Burst all = stamped.burst;
  const unsigned kept = setup_.allowance->take(all.count);
  if (kept == all.count) return;
  stamped = {all.up_to(kept), 0};
  for (const rte_mbuf* mbuf : std::span(mbufs_).first(kept)) stamped.bytes += mbuf->pkt_len;
  setup_.counters->beyond_limit.add(all.count - kept);
  free_burst(all.behind(kept));
}

void RxLcore::count(const RxQueue& queue, const Stamped& stamped) noexcept {
  queue.counters->packets.add(stamped.burst.count);
  queue.counters->bytes.add(stamped.bytes);
  setup_.counters->received.add(stamped.burst.count);
  setup_.counters->received_bytes.add(stamped.bytes);
  if (setup_.allowance) setup_.allowance->take_bytes(stamped.bytes);
}

}  // namespace wirespool::capture
