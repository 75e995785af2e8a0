// SPDX-License-Identifier: BSD-3-Clause
#include "capture/block_handoff.hpp"

#include <rte_errno.h>
#include <rte_pause.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek.h>

#include <algorithm>

#include "dpdk/ring_memory.hpp"
#include "policy/placement.hpp"
#include "policy/writer_shape.hpp"

namespace wirespool::capture {
namespace {

constexpr unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;

static_assert(sizeof(BlockHandoff::Message) == policy::block_message_bytes);

}  // namespace

std::expected<std::unique_ptr<BlockHandoff>, std::string> BlockHandoff::create(const std::string& name, unsigned blocks,
                                                                               int numa_node) {
  std::unique_ptr<BlockHandoff> handoff(new BlockHandoff);
  handoff->filled_ =
      dpdk::make_ring((name + "_full").c_str(), sizeof(Message), policy::block_ring_size(blocks), numa_node, flags);
  handoff->empty_ = rte_ring_create((name + "_empty").c_str(), policy::block_ring_size(blocks), numa_node, flags);
  if (!handoff->filled_ || !handoff->empty_) return std::unexpected(std::string(rte_strerror(rte_errno)));
  return handoff;
}

BlockHandoff::~BlockHandoff() {
  rte_ring_free(filled_);
  rte_ring_free(empty_);
}

bool BlockHandoff::send(const Message& message) noexcept {
  if (rte_ring_sp_enqueue_elem(filled_, const_cast<Message*>(&message), sizeof message) != 0) return false;
  crossing_.sent(1);
  return true;
}

record::Block* BlockHandoff::take_empty() noexcept {
  void* block = nullptr;
  return rte_ring_sc_dequeue(empty_, &block) == 0 ? static_cast<record::Block*>(block) : nullptr;
}

std::size_t BlockHandoff::empties() const noexcept { return rte_ring_count(empty_); }

unsigned BlockHandoff::receive(std::span<Message> messages) noexcept {
  const unsigned count = rte_ring_dequeue_burst_elem_start(filled_, messages.data(), sizeof(Message),
                                                           static_cast<unsigned>(messages.size()), nullptr);
  if (count == 0) return 0;
  crossing_.taken(count);
  rte_ring_dequeue_elem_finish(filled_, count);
  return count;
}

bool BlockHandoff::give_empty(record::Block& block) noexcept { return rte_ring_sp_enqueue(empty_, &block) == 0; }

// A Block that is left out would be a hole in its file and be lost to the pool, so this waits for room. It never has
// to: neither ring is ever full (BlockHandoff).
void BlockHandoffDock::take_full(record::Block& block) noexcept {
  const auto packets = block.tally.packets;  // not ours to read once it is sent
  while (!handoff_.send({&block, {}})) {
    ++counters_.handoff_waits;
    rte_pause();
  }
  counters_.handed.add(packets);
}

bool BlockHandoffDock::take_tail(record::Block& block) noexcept {
  auto& last = tails_[block.file.lane % tails_.size()];
  if (last > handoff_.taken()) return false;
  if (!handoff_.send({&block, {block.length, block.tally}})) return false;
  last = handoff_.sent();
  return true;
}

std::span<const std::uint32_t> BlockHandoffDock::loads() noexcept {
  for (std::size_t i = 0; i < drives_.size(); ++i) loads_[i] = drives_[i]->ok() ? drives_[i]->load() : policy::unusable;
  return loads_;
}

void BlockOutlet::deliver(const Received& received) noexcept {
  const dpdk::Burst& burst = received.burst;
  source_ = received.queue->source;
  std::size_t done = append(burst);
  if (done < burst.count && setup_.wait) done += wait_for_blocks(burst.behind(static_cast<unsigned>(done)));
  if (done < burst.count) {
    const bool no_room = any_drive();
    (no_room ? setup_.counters->drop_handoff : setup_.counters->drop_drive).add(burst.count - done);
    if (setup_.losses && no_room) setup_.losses->lost(source_, burst.count - done);
  }
  dpdk::free_burst(burst);
}

std::size_t BlockOutlet::wait_for_blocks(const dpdk::Burst& burst) noexcept {
  std::size_t done = 0;
  ++setup_.counters->handoff_waits;
  setup_.counters->waiting.set(1);
  while (done < burst.count && any_drive()) {
    rte_pause();
    idler_.rest(setup_.counters->received.get() + done);
    done += append(burst.behind(static_cast<unsigned>(done)));
  }
  setup_.counters->waiting.set(0);
  return done;
}

// As many as there are empty Blocks for, at any writer.
std::size_t BlockOutlet::append(const dpdk::Burst& burst) noexcept {
  if (setup_.trimming && pressed()) return append_shorter(burst, *setup_.trimming, setup_.counters->trimmed);
  if (setup_.referrer.shortens()) return append_shorter(burst, setup_.referrer, setup_.counters->sliced);
  const auto append_refs = [&](const auto& reference) {
    const dpdk::RefIterator first(burst.mbufs, reference);
    return append_run(first, first + burst.count);
  };
  return burst.pool ? setup_.referrer.simple(append_refs) : setup_.referrer.any(append_refs);
}

bool BlockOutlet::pressed() noexcept { return setup_.supplies[turn_].look(); }

std::size_t BlockOutlet::append_shorter(const dpdk::Burst& burst, const dpdk::Referrer& referrer,
                                        stats::Counter& sliced) noexcept {
  const auto fill = [&](const auto& reference) {
    for (unsigned i = 0; i < burst.count; ++i) refs_[i] = reference(burst.mbufs[i]);
  };
  if (burst.pool)
    referrer.simple(fill);
  else
    referrer.any(fill);
  const record::PacketRef* const first = refs_.data();
  const auto done = append_run(first, first + burst.count);
  if (referrer.slices()) sliced.add(referrer.count_sliced(burst.mbufs, {first, done}));
  return done;
}

template <typename Packets>
std::size_t BlockOutlet::append_run(Packets first, Packets last) noexcept {
  auto done = first;
  for (std::size_t tried = 0; tried < setup_.appenders.size() && done != last; ++tried) {
    auto& appender = *setup_.appenders[turn_];
    const auto appended = setup_.losses ? append_told(appender, done, last) : appender.append(done, last);
    done = done + static_cast<std::ptrdiff_t>(appended);
    turn_ = (turn_ + 1) % setup_.appenders.size();
  }
  return static_cast<std::size_t>(done - first);
}

// Tells the Appender where the packets are from, and what is missing in front of them. If it takes none, the next
// Appender is told.
template <typename Refs>
std::size_t BlockOutlet::append_told(record::Appender& appender, Refs first, Refs last) noexcept {
  appender.comes_from(source_, setup_.losses->take(source_));
  const auto appended = appender.append(first, last);
  if (appended == 0) setup_.losses->give_back(source_, appender.take_back_missing());
  return appended;
}

bool BlockOutlet::any_drive() const noexcept {
  return setup_.drives.empty() || std::ranges::any_of(setup_.drives, [](const auto* drive) { return drive->ok(); });
}

void BlockOutlet::tick(Timestamp now) noexcept {
  for (auto* appender : setup_.appenders) appender->tick(now);
}

void BlockOutlet::finish() noexcept {
  for (std::uint32_t source = 0; setup_.losses && source < setup_.losses->sources(); ++source)
    if (const auto missing = setup_.losses->take(source); missing.sum() != 0)
      setup_.appenders[turn_]->comes_from(source, missing);
  for (auto* appender : setup_.appenders) appender->finish();
}

std::int64_t BlockOutlet::held() const noexcept {
  std::int64_t held = 0;
  for (const auto* appender : setup_.appenders) held += appender->held();
  return held;
}

bool BlockIntake::serve() noexcept {
  std::array<BlockHandoff::Message, 16> messages;
  const unsigned count = setup_.handoff->receive(messages);
  for (const auto& message : std::span(messages).first(count)) take(message);
  supply();
  return count != 0;
}

void BlockIntake::take(const BlockHandoff::Message& message) noexcept {
  if (message.tail.length != 0) return setup_.sink->take_tail(*message.block, message.tail);
  setup_.counters->taken.add(message.block->tally.packets);
  setup_.sink->take_full(*message.block);
}

void BlockIntake::supply() noexcept {
  for (auto have = setup_.handoff->empties(); have < setup_.share; ++have) {
    record::Block* const block = setup_.sink->get_for_stream();
    if (!block) return;
    if (!setup_.handoff->give_empty(*block)) return setup_.sink->give_back(*block);
  }
}

// The RX lcore takes no more: what it did not use comes back.
void BlockIntake::finish() noexcept {
  while (record::Block* const block = setup_.handoff->take_empty()) setup_.sink->give_back(*block);
}

}  // namespace wirespool::capture
