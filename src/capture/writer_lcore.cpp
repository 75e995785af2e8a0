// SPDX-License-Identifier: BSD-3-Clause
#include "capture/writer_lcore.hpp"

#include <rte_pause.h>

#include <algorithm>

#include "capture/clock.hpp"
#include "capture/mbuf.hpp"

namespace wirespool::capture {
namespace {

constexpr unsigned burst = 64;

// Tails, ages and lost drives are looked at this often.
constexpr std::uint64_t ticks_per_second = 100;

}  // namespace

WriterLcore::WriterLcore(WriterLcoreSetup setup) : setup_(std::move(setup)) {}

void WriterLcore::run() noexcept {
  for (;;) {
    const bool dry = sources_dry();  // before the Handoffs are looked at: what came last is seen
    bool worked = false;
    for (auto& stream : setup_.streams) worked |= serve(stream);
    if (setup_.writer) worked |= setup_.writer->poll();
    if (read_tsc().count >= next_tick_) tick();
    ++setup_.counters->rounds;
    if (worked) continue;
    ++setup_.counters->idle_rounds;
    if (dry && std::ranges::all_of(setup_.streams, [](const auto& stream) { return stream.handoff->empty(); })) break;
    rte_pause();
  }
  finish();
  done_.store(true, std::memory_order_release);
}

bool WriterLcore::serve(Stream& stream) noexcept {
  const auto packets = stream.handoff->peek(burst);
  if (packets.first.empty()) return false;
  std::size_t done = append(stream, packets.first);
  if (done == packets.first.size()) done += append(stream, packets.second);
  stream.handoff->consume(done);
  if (done == 0) ++setup_.counters->block_waits;
  return done != 0;
}

// Appended or given up for a counted reason: either way the mbufs go back at once. How many those were.
std::size_t WriterLcore::append(Stream& stream, std::span<const spool::PacketRef> packets) noexcept {
  std::size_t done = packets.size();
  if (!stream.appender) {
    setup_.counters->filtered.add(done);
  } else if (setup_.writer && !setup_.writer->any_drive()) {
    setup_.writer->drop(done);
  } else {
    done = stream.appender->append(packets);
  }
  free_packets(packets.data(), static_cast<unsigned>(done), stream.pool);
  return done;
}

bool WriterLcore::sources_dry() const noexcept {
  return std::ranges::all_of(setup_.streams, [](const auto& stream) { return stream.source->done(); });
}

void WriterLcore::tick() noexcept {
  const auto now = read_tsc();
  next_tick_ = now.count + rte_get_tsc_hz() / ticks_per_second;
  setup_.tsc_clock->refresh(line_, line_version_);
  const auto utc = line_.to_utc(now);
  for (auto& stream : setup_.streams)
    if (stream.appender) stream.appender->tick(utc);
  if (setup_.writer) setup_.writer->tick(utc);
}

void WriterLcore::finish() noexcept {
  for (auto& stream : setup_.streams)
    if (stream.appender) stream.appender->finish();
  if (!setup_.writer) return;
  setup_.writer->finish();
  while (!setup_.writer->drained()) {
    if (!setup_.writer->poll()) rte_pause();
    if (read_tsc().count >= next_tick_) tick();
  }
}

}  // namespace wirespool::capture
