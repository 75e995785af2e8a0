// SPDX-License-Identifier: BSD-3-Clause
#include "capture/packet_handoff.hpp"

#include <rte_pause.h>

#include <algorithm>

namespace wirespool::capture {
namespace {

constexpr unsigned burst = 64;

}  // namespace

void DroppingPacketOutlet::deliver(rte_mbuf** mbufs, unsigned count) noexcept {
  const unsigned taken = hand_to(next_handoff(count), mbufs, count);
  if (taken == count) return;
  counters_.drop_handoff.add(count - taken);
  free_burst(mbufs + taken, count - taken);
}

void WaitingPacketOutlet::deliver(rte_mbuf** mbufs, unsigned count) noexcept {
  unsigned taken = hand_to(next_handoff(count), mbufs, count);
  if (taken == count) return;
  ++counters_.handoff_waits;
  while (taken < count) {
    rte_pause();
    taken += hand_to(next_handoff(count - taken), mbufs + taken, count - taken);
  }
}

// Refs into the ring, as many as fit; how many those were.
unsigned PacketOutlet::hand_to(Handoff& handoff, rte_mbuf* const* mbufs, unsigned count) noexcept {
  const auto room = handoff.reserve(count);
  for (auto& ref : room.first) ref = refer(*mbufs++, pool_, field_);
  for (auto& ref : room.second) ref = refer(*mbufs++, pool_, field_);
  const auto taken = room.first.size() + room.second.size();
  if (taken) handoff.publish(taken);
  return static_cast<unsigned>(taken);
}

// Writers take turns; one whose Handoff has no room for the Burst is passed over for the emptiest.
Handoff& PacketOutlet::next_handoff(unsigned packets) noexcept {
  if (handoffs_.size() == 1) return *handoffs_.front();
  turn_ = (turn_ + 1) % handoffs_.size();
  if (handoffs_[turn_]->room() >= packets) return *handoffs_[turn_];
  return **std::max_element(handoffs_.begin(), handoffs_.end(),
                            [](const Handoff* a, const Handoff* b) { return a->room() < b->room(); });
}

bool PacketIntake::serve() noexcept {
  const auto packets = setup_.handoff->peek(burst);
  if (packets.first.empty()) return false;
  std::size_t done = append(packets.first);
  if (done == packets.first.size()) done += append(packets.second);
  setup_.handoff->consume(done);
  if (done == 0) ++setup_.counters->block_waits;
  return done != 0;
}

// Appended or given up for a counted reason: either way the mbufs go back. How many those were.
std::size_t PacketIntake::append(std::span<const spool::PacketRef> packets) noexcept {
  std::size_t done = packets.size();
  if (!setup_.appender) {
    setup_.counters->filtered.add(done);
  } else if (setup_.writer && !setup_.writer->any_drive()) {
    setup_.writer->drop(done);
  } else {
    done = setup_.appender->append(packets);
  }
  free_packets(packets.data(), static_cast<unsigned>(done), setup_.pool);
  return done;
}

void PacketIntake::tick(Timestamp now) noexcept {
  if (setup_.appender) setup_.appender->tick(now);
}

void PacketIntake::finish() noexcept {
  if (setup_.appender) setup_.appender->finish();
}

}  // namespace wirespool::capture
