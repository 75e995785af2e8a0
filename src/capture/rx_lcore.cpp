// SPDX-License-Identifier: BSD-3-Clause
#include "capture/rx_lcore.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>

#include <algorithm>
#include <span>
#include <utility>

#include "dpdk/clock.hpp"

namespace wirespool::capture {
namespace {

// Receive calls in a row without a packet that make an RxQueue empty at a stop; drivers may return 0 once for other
// reasons.
constexpr unsigned empty_enough = 4;

constexpr std::uint64_t ticks_per_second = 100;

// How far a NIC's clock and the TSC may be apart, both being kept on UTC.
constexpr std::uint64_t clock_slack_ns = 10'000'000;
// A port is started, and its clock asked, so long before its first poll at most.
constexpr std::uint64_t start_slack_ns = 5'000'000'000;

}  // namespace

RxLcore::RxLcore(RxLcoreSetup setup)
    : setup_(std::move(setup)), idler_(setup_.idle, setup_.counters->sleeps), nic_times_(setup_.queues.size()) {
  open_.reserve(setup_.queues.size());  // lcores allocate nothing
  for (const auto& queue : setup_.queues)
    if (std::ranges::find(outlets_, queue.outlet) == outlets_.end()) outlets_.push_back(queue.outlet);
}

void RxLcore::run() noexcept {
  stages_.start();
  for (const auto& queue : setup_.queues)
    if (queue.nic_clock) begin_nic_time(queue);
  for (auto word = setup_.stop->word(); !StopFlag::stops(word); word = setup_.stop->word()) {
    look_at_gates(word);
    poll_until_news(word);
  }
  look_at_gates(setup_.stop->word());
  for (auto* queue : open_)
    if (!queue->outlet->full()) drain(*queue);
  for (auto* outlet : outlets_) outlet->finish();
  for (auto& queue : setup_.queues) queue.peaks.close();
  audit();
  done_.store(true, std::memory_order_release);
}

void RxLcore::look_at_gates(std::uint32_t word) noexcept {
  open_.clear();
  for (auto& queue : setup_.queues)
    if (!queue.gate || !queue.gate->closed.load(std::memory_order_relaxed)) open_.push_back(&queue);
  seen_.store(word, std::memory_order_release);
}

void RxLcore::poll_until_news(std::uint32_t word) noexcept {
  while (setup_.stop->word() == word) {
    unsigned received = 0;
    for (auto* queue : open_) received += poll(*queue);
    if (received == 0) found_nothing_anywhere();
  }
}

void RxLcore::found_nothing_anywhere() noexcept {
  if (open_.empty()) [[unlikely]]
    without_queue();
  if (idler_.rest(setup_.counters->received.get())) stages_.lap(setup_.counters->cycles.idle);
}

// All its ports are being reset: timers still have to run, and the lcore must not look dead.
void RxLcore::without_queue() noexcept {
  time_of(0);
  ++setup_.counters->polls;
  ++setup_.counters->empty_polls;
  rte_pause();
}

void RxLcore::begin_nic_time(const RxQueue& queue) noexcept {
  time_of(0);
  nic_time_of(queue).earliest_ns = stamper_.last_ns() - start_slack_ns;
}

void RxLcore::drain(RxQueue& queue) noexcept {
  unsigned left = queue.descriptors, empty = 0;
  while (left && empty < empty_enough) {
    const unsigned received = poll(queue);
    empty = received ? 0 : empty + 1;
    left -= std::min(left, received);
  }
  if (queue.late_ticks) drain_late(queue, left);
}

// Takes frames that the device has but has not reported yet. The last look comes after the time is up, however long
// this lcore was away.
void RxLcore::drain_late(RxQueue& queue, unsigned left) noexcept {
  std::uint64_t last = dpdk::read_tsc().count;
  for (bool late = false; left && !late;) {
    const std::uint64_t now = dpdk::read_tsc().count;
    const unsigned received = poll(queue);
    late = received == 0 && now - last >= queue.late_ticks;
    if (received) last = dpdk::read_tsc().count;
    left -= std::min(left, received);
  }
}

unsigned RxLcore::poll(RxQueue& queue) noexcept {
  const std::uint64_t before_ns = stamper_.last_ns();
  const unsigned count = receive(queue);
  const auto run = time_of(count);
  ++setup_.counters->polls;
  if (count == 0)
    found_nothing(queue, before_ns);
  else
    deliver(queue, stamp(queue, count, run));
  return count;
}

unsigned RxLcore::receive(const RxQueue& queue) noexcept {
  const unsigned count =
      rte_eth_rx_burst(queue.port, queue.queue, mbufs_.data(), static_cast<std::uint16_t>(setup_.burst));
  if (count) stages_.lap(setup_.counters->cycles.receive);
  return count;
}

// What comes later has come since the receive call began, and so after `before_ns`. Not after the clock was read behind
// the call: this lcore may have been off its CPU in between, for as long as the scheduler liked.
void RxLcore::found_nothing(const RxQueue& queue, std::uint64_t before_ns) noexcept {
  ++setup_.counters->empty_polls;
  stages_.lap(setup_.counters->cycles.idle);
  if (queue.nic_clock)
    nic_time_of(queue).earliest_ns = std::min(before_ns, stamper_.last_ns()) - clock_slack_ns;  // UTC may be set back
}

void RxLcore::deliver(RxQueue& queue, const Received& received) noexcept {
  const auto& field = setup_.stamp_field;
  const auto count = received.burst.count;
  queue.peaks.received(field.of(mbufs_[0]), field.of(mbufs_[count - 1]), count, received.bytes);
  stages_.lap(setup_.counters->cycles.stamp);
  queue.outlet->deliver(received);
  stages_.lap(setup_.counters->cycles.deliver);
}

// Between two Bursts: all of the last one has gone somewhere, none of the next one is counted yet.
void RxLcore::audit() noexcept {
  auto& counters = *setup_.counters;
  std::int64_t held = 0;
  for (const auto* outlet : outlets_) held += outlet->held();
  counters.audit.found(counters.received.get(),
                       counters.filtered.get() + counters.ended_early.get() + counters.cut.get() +
                           counters.drop_handoff.get() + counters.drop_drive.get() + counters.handed.get(),
                       held);
}

policy::StampRun RxLcore::time_of(unsigned received) noexcept {
  const auto ticks = dpdk::read_tsc();
  const auto epoch = line_.epoch;
  setup_.tsc_clock->refresh(line_, line_version_);
  if (line_.epoch != epoch) [[unlikely]] {
    forget_times();
  }
  const auto now = line_.to_utc(ticks);
  if (ticks.count >= next_tick_) [[unlikely]] {
    next_tick_ = ticks.count + rte_get_tsc_hz() / ticks_per_second;
    tick(now);
  }
  return stamper_.polled(now, received);
}

void RxLcore::tick(Timestamp now) noexcept {
  for (auto* outlet : outlets_) outlet->tick(now);
  for (auto& queue : setup_.queues) queue.peaks.look(now.ns);
  audit();
}

// The clock was set.
void RxLcore::forget_times() noexcept {
  stamper_.restart();
  for (auto& nic : nic_times_) nic.earliest_ns = nic.last_ns = 0;
  for (auto& queue : setup_.queues) queue.peaks.forget_time();
}

// One pass over the mbufs: each gets its stamp and is seen.
template <typename StampOf>
Received RxLcore::stamp_each(const RxQueue& queue, unsigned count, StampOf stamp_of) noexcept {
  const dpdk::StampField field = setup_.stamp_field;
  dpdk::BurstLook look;
  for (rte_mbuf* mbuf : std::span(mbufs_).first(count)) {
    field.of(mbuf) = stamp_of(*mbuf);
    look.at(*mbuf);
  }
  std::uint64_t bytes = look.bytes();
  if (look.tags_stripped()) [[unlikely]]
    bytes += dpdk::put_tags_back(mbufs_.data(), count);
  return {{mbufs_.data(), count, look.simple_pool()}, bytes, queue.counters};
}

Received RxLcore::stamp(const RxQueue& queue, unsigned count, policy::StampRun run) noexcept {
  if (queue.nic_clock) return stamp_from_nic(queue, count, run);
  return stamp_each(queue, count, [next = run.first_ns, step = run.step_ns](const rte_mbuf&) mutable {
    return std::exchange(next, next + step);
  });
}

// The NIC's stamps, in ticks of its clock, become UTC in place. A frame without its stamp keeps the poll's time, and so
// does one whose stamp cannot be right: some drivers read another clock than the one that stamps, and clocks are set,
// and wrap. Equal stamps (a coarse clock) are told apart by a nanosecond, so that the order of an RxQueue can be read
// off its stamps; those of other queues have nothing to do with it, being in other Streams.
Received RxLcore::stamp_from_nic(const RxQueue& queue, unsigned count, policy::StampRun run) noexcept {
  NicTime& nic = nic_time_of(queue);
  queue.nic_clock->refresh(nic.line, nic.version);
  const policy::ClockLine line = nic.line;
  const dpdk::StampField field = setup_.stamp_field;
  const std::uint64_t stamped_flag = line.usable() ? field.rx_flag : 0;
  const std::uint64_t earliest = nic.earliest_ns, width = stamper_.last_ns() + clock_slack_ns - earliest;
  std::uint64_t last = nic.last_ns, polled = run.first_ns, refused = 0;
  const auto received = stamp_each(queue, count, [&](rte_mbuf& mbuf) {
    const std::uint64_t at_poll = std::exchange(polled, polled + run.step_ns);
    const std::uint64_t utc = mbuf.ol_flags & stamped_flag ? line.to_utc({field.of(&mbuf)}).ns : at_poll;
    const bool possible = utc - earliest <= width;
    refused += !possible;
    return last = std::max(possible ? utc : at_poll, last + 1);
  });
  nic.last_ns = last;
  if (refused) [[unlikely]]
    queue.counters->stamps_refused.add(refused);
  return received;
}

}  // namespace wirespool::capture
