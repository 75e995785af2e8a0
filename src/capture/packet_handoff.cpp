// SPDX-License-Identifier: BSD-3-Clause
#include "capture/packet_handoff.hpp"

#include <rte_pause.h>

#include <algorithm>
#include <span>

namespace wirespool::capture {
namespace {

constexpr unsigned burst = 64;

// Without what the lcores' caches hold, of which most is not ours to take.
unsigned left_in(const rte_mempool* pool) noexcept { return rte_mempool_get_ops(pool->ops_index)->get_count(pool); }

}  // namespace

void DroppingPacketOutlet::deliver(const Received& received) noexcept {
  const dpdk::Burst& burst = received.burst;
  const auto source = received.queue->source;
  drop_behind(burst, hand_to(*handoffs_[next_handoff(burst.count)], burst, asked_, source), source);
}

void PacketOutlet::drop_behind(const dpdk::Burst& burst, unsigned taken, std::uint32_t source) noexcept {
  if (taken == burst.count) return;
  counters_.drop_handoff.add(burst.count - taken);
  if (losses_) losses_->lost(source, burst.count - taken);
  dpdk::free_burst(burst.behind(taken));
}

TrimmingPacketOutlet::TrimmingPacketOutlet(Setup setup, const dpdk::Referrer& trimming,
                                           std::vector<WriterPressure> pressures)
    : PacketOutlet(std::move(setup)), trimmed_{trimming, &counters_.trimmed}, pressures_(std::move(pressures)) {}

void TrimmingPacketOutlet::deliver(const Received& received) noexcept {
  const dpdk::Burst& burst = received.burst;
  const auto writer = next_handoff(burst.count);
  const bool trim = pressures_[writer].look(handoffs_[writer]->waiting());
  const auto source = received.queue->source;
  drop_behind(burst, hand_to(*handoffs_[writer], burst, trim ? trimmed_ : asked_, source), source);
}

void WaitingPacketOutlet::deliver(const Received& received) noexcept {
  const dpdk::Burst& burst = received.burst;
  if (burst.count == 0) return;
  measure(burst);
  const rte_mempool* pool = burst.mbufs[0]->pool;
  const auto source = received.queue->source;
  unsigned taken = hand_to(*handoffs_[next_handoff(burst.count)], burst, asked_, source);
  if (taken < burst.count) {
    ++counters_.handoff_waits;
    counters_.waiting.set(1);
    while (taken < burst.count) {
      rte_pause();
      idler_.rest(counters_.handed.get());
      taken += hand_to(*handoffs_[next_handoff(burst.count - taken)], burst.behind(taken), asked_, source);
    }
    counters_.waiting.set(0);
  }
  if (longest_chain_ > 1) wait_for_mbufs(pool);
}

void WaitingPacketOutlet::measure(const dpdk::Burst& burst) noexcept {
  largest_burst_ = std::max(largest_burst_, burst.count);
  if (burst.pool) return;
  for (auto* mbuf : std::span(burst.mbufs, burst.count))
    longest_chain_ = std::max<unsigned>(longest_chain_, mbuf->nb_segs);
}

// Handoffs are bounded in packets. Where packets are chains, the pool runs dry before they are full, and a driver that
// finds no mbuf drops the packet (net_pcap: rx_nombuf). So enough mbufs must be left for a dpdk::Burst of chains twice
// as long as any seen. Once the Handoffs are empty, no more can come back.
void WaitingPacketOutlet::wait_for_mbufs(const rte_mempool* pool) const noexcept {
  const unsigned wanted = 2 * longest_chain_ * largest_burst_;
  if (left_in(pool) >= wanted) return;
  counters_.waiting.set(1);
  while (left_in(pool) < wanted && !all_empty()) rte_pause();
  counters_.waiting.set(0);
}

bool WaitingPacketOutlet::all_empty() const noexcept {
  return std::ranges::all_of(handoffs_, [](const Handoff* handoff) { return handoff->empty(); });
}

// Refs into the ring, as many as fit; how many those were.
unsigned PacketOutlet::hand_to(Handoff& handoff, const dpdk::Burst& burst, const Keeping& keeping,
                               std::uint32_t source) noexcept {
  const auto room = handoff.reserve(burst.count);
  auto* const* mbuf = burst.mbufs;
  const auto fill = [&](auto reference) {
    for (auto& ref : room.first) ref = reference(*mbuf++);
    for (auto& ref : room.second) ref = reference(*mbuf++);
  };
  if (burst.pool == pool_) [[likely]]
    keeping.referrer.simple(fill);
  else
    keeping.referrer.owned(pool_, fill);
  if (keeping.referrer.slices()) [[unlikely]]
    keeping.sliced->add(keeping.referrer.count_sliced(burst.mbufs, room.first) +
                        keeping.referrer.count_sliced(burst.mbufs + room.first.size(), room.second));
  const auto taken = room.first.size() + room.second.size();
  if (taken) {
    if (losses_) [[unlikely]]
      tell(handoff, source, losses_->take(source));
    handoff.publish(taken);
    counters_.handed.add(taken);
  }
  return static_cast<unsigned>(taken);
}

// Of the packets that are published next. A writer that uses none of its notes takes no packets either, so that there
// is room for one.
void PacketOutlet::tell(Handoff& handoff, std::uint32_t source, const format::MissingPackets& missing) noexcept {
  if (!handoff.notes()->says(source, missing)) return;
  while (!handoff.notes()->put({handoff.sent(), source, missing})) rte_pause();
}

// What no packet follows.
void PacketOutlet::finish() noexcept {
  if (!losses_) return;
  for (std::uint32_t source = 0; source < losses_->sources(); ++source)
    if (const auto missing = losses_->take(source); missing.sum() != 0) tell(*handoffs_[turn_], source, missing);
}

// Writers take turns; one whose Handoff has no room for the dpdk::Burst is passed over for the emptiest.
std::size_t PacketOutlet::next_handoff(unsigned packets) noexcept {
  if (handoffs_.size() == 1) return 0;
  turn_ = (turn_ + 1) % handoffs_.size();
  if (handoffs_[turn_]->room() >= packets) return turn_;
  const auto emptiest = std::ranges::max_element(handoffs_, {}, [](const Handoff* handoff) { return handoff->room(); });
  return static_cast<std::size_t>(emptiest - handoffs_.begin());
}

bool PacketIntake::serve() noexcept {
  const auto packets = setup_.handoff->peek(burst);
  if (packets.first.empty()) return false;
  const bool told = setup_.handoff->notes() != nullptr;
  std::size_t done = told ? append_told(packets.first) : append(packets.first);
  if (done == packets.first.size()) done += told ? append_told(packets.second) : append(packets.second);
  setup_.handoff->consume(done);
  setup_.counters->taken.add(done);
  if (done == 0) ++setup_.counters->block_waits;
  return done != 0;
}

// From one note to the next.
std::size_t PacketIntake::append_told(std::span<const record::PacketRef> packets) noexcept {
  SourceNotes& notes = *setup_.handoff->notes();
  std::size_t done = 0;
  while (done < packets.size()) {
    const auto* const note = notes.next();
    if (note && note->before == done_) {
      setup_.appender->comes_from(note->source, note->missing);
      notes.done();
      continue;
    }
    auto part = packets.subspan(done);
    if (note) part = part.first(std::min<std::uint64_t>(part.size(), note->before - done_));
    const auto appended = append(part);
    done += appended;
    done_ += appended;
    if (appended < part.size()) break;
  }
  return done;
}

void PacketIntake::finish() noexcept {
  if (auto* const notes = setup_.handoff->notes()) {
    for (const auto* note = notes->next(); note; note = notes->next()) {
      setup_.appender->comes_from(note->source, note->missing);
      notes->done();
    }
  }
  setup_.appender->finish();
}

// Appended or given up for a counted reason: either way the mbufs go back. How many those were.
std::size_t PacketIntake::append(std::span<const record::PacketRef> packets) noexcept {
  std::size_t done = packets.size();
  if (setup_.sink->takes_packets()) [[likely]]
    done = setup_.appender->append(packets);
  else
    setup_.sink->drop(done);
  dpdk::free_packets(packets.data(), static_cast<unsigned>(done), setup_.pool);
  return done;
}

}  // namespace wirespool::capture
