// SPDX-License-Identifier: BSD-3-Clause
#include "capture/writer_lcore.hpp"

#include <rte_pause.h>

#include <algorithm>

#include "dpdk/clock.hpp"

namespace wirespool::capture {
namespace {

// Tails, ages and lost drives are looked at this often; Blocks are counted one by one every so many times.
constexpr std::uint64_t ticks_per_second = 100;
constexpr unsigned ticks_per_audit = 10;

}  // namespace

WriterLcore::WriterLcore(WriterLcoreSetup setup)
    : setup_(std::move(setup)), idler_(setup_.idle, setup_.counters->sleeps) {
  setup_.counters->free_blocks.set(setup_.sink->free_blocks());
}

void WriterLcore::run() noexcept {
  auto& cycles = setup_.counters->cycles;
  stages_.start();
  for (;;) {
    const bool dry = sources_dry();  // before the Handoffs are looked at: what came last is seen
    bool worked = false;
    for (auto& intake : setup_.intakes) worked |= intake->serve();
    stages_.lap(worked ? cycles.build : cycles.idle);
    const bool wrote = setup_.sink->poll();
    stages_.lap(wrote ? cycles.io : cycles.idle);
    worked |= wrote;
    if (dpdk::read_tsc().count >= next_tick_) tick();
    ++setup_.counters->rounds;
    if (worked) continue;
    ++setup_.counters->idle_rounds;
    if (dry && std::ranges::all_of(setup_.intakes, [](const auto& intake) { return intake->empty(); })) break;
    rte_pause();
    if (idler_.rest(setup_.counters->rounds.get() - setup_.counters->idle_rounds.get())) stages_.lap(cycles.idle);
  }
  finish();
  audit();
  done_.store(true, std::memory_order_release);
}

bool WriterLcore::sources_dry() const noexcept {
  return std::ranges::all_of(setup_.sources, [](const auto* source) { return source->done(); });
}

void WriterLcore::tick() noexcept {
  const auto now = dpdk::read_tsc();
  next_tick_ = now.count + rte_get_tsc_hz() / ticks_per_second;
  setup_.tsc_clock->refresh(line_, line_version_);
  const auto utc = line_.to_utc(now);
  for (auto& intake : setup_.intakes) intake->tick(utc);
  setup_.sink->tick(utc);
  if (++ticks_ % ticks_per_audit == 0) audit();
  const auto longest = setup_.stop->longest_write_ns.load(std::memory_order_relaxed);
  if (longest != StopFlag::wait_for_all) setup_.sink->give_up(longest);
}

void WriterLcore::audit() noexcept {
  auto& counters = *setup_.counters;
  std::int64_t held = setup_.sink->held();
  for (const auto& intake : setup_.intakes) held += intake->held();
  counters.audit.found(counters.taken.get(),
                       counters.ended_early.get() + counters.stored.get() + counters.drop_drive.get(), held);
  counters.free_blocks.set(setup_.sink->free_blocks());
}

void WriterLcore::finish() noexcept {
  for (auto& intake : setup_.intakes) intake->finish();
  setup_.sink->finish();
  while (!setup_.sink->drained()) {
    if (!setup_.sink->poll()) rte_pause();
    if (dpdk::read_tsc().count >= next_tick_) tick();
  }
}

}  // namespace wirespool::capture
