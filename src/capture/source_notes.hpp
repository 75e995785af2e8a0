// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// For files that say where packets are from and where some are missing (--format pcapng): carries that from where it is
// known to the Appenders, without adding anything to each packet.

#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "format/source_tally.hpp"

namespace wirespool::capture {

// What a port lost, from the control thread, which asks the device, to the RX lcore that polls the port's first queue.
class alignas(64) LossMail {
 public:
  void put(const format::MissingPackets& lost) noexcept {
    nic_missed_.fetch_add(lost.nic_missed, std::memory_order_relaxed);
    nic_errors_.fetch_add(lost.nic_errors, std::memory_order_relaxed);
    nic_other_.fetch_add(lost.nic_other, std::memory_order_relaxed);
    no_mbuf_.fetch_add(lost.no_mbuf, std::memory_order_relaxed);
    there_.store(true, std::memory_order_release);
  }

  format::MissingPackets take() noexcept {
    if (!there_.load(std::memory_order_relaxed)) [[likely]]
      return {};
    there_.exchange(false, std::memory_order_acquire);
    const auto all = [](auto& counter) { return counter.exchange(0, std::memory_order_relaxed); };
    return {all(nic_missed_), all(nic_errors_), all(nic_other_), all(no_mbuf_), 0};
  }

 private:
  std::atomic<bool> there_{false};
  std::atomic<std::uint64_t> nic_missed_{0}, nic_errors_{0}, nic_other_{0}, no_mbuf_{0};
};

// What is missing of each source in front of the next packet that gets on. One RX lcore's.
class SourceLosses {
 public:
  explicit SourceLosses(std::span<LossMail> mail) : mail_(mail), pending_(mail.size()) {}

  std::uint32_t sources() const noexcept { return static_cast<std::uint32_t>(mail_.size()); }
  void lost(std::uint32_t source, std::uint64_t packets) noexcept { pending_[source].drop_handoff += packets; }
  format::MissingPackets take(std::uint32_t source) noexcept {
    auto missing = std::exchange(pending_[source], {});
    return missing += mail_[source].take();
  }
  void give_back(std::uint32_t source, const format::MissingPackets& missing) noexcept { pending_[source] += missing; }

 private:
  std::span<LossMail> mail_;  // by source
  std::vector<format::MissingPackets> pending_;
};

// Beside a Handoff: from which packet on they are of another source, or some are missing. At most one note a packet,
// and a few at the end: it has room for twice as many as the Handoff has packets. One producer, one consumer.
class SourceNotes {
 public:
  struct Note {
    std::uint64_t before = 0;  // so many packets crossed the Handoff
    std::uint32_t source = 0;
    format::MissingPackets missing;
  };

  explicit SourceNotes(std::size_t packets) : notes_(std::bit_ceil(2 * packets)) {}

  // RX lcore: whether the packets that are published next need a note.
  bool says(std::uint32_t source, const format::MissingPackets& missing) const noexcept {
    return source != source_ || missing.sum() != 0;
  }
  // RX lcore; false: no room now. The note is to be seen with the packet after it, which is published after.
  bool put(const Note& note) noexcept {
    const auto end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == notes_.size()) return false;
    notes_[end % notes_.size()] = note;
    source_ = note.source;
    end_.store(end + 1, std::memory_order_release);
    return true;
  }

  // Writer lcore: the next one, or nullptr; and it is done with.
  const Note* next() const noexcept {
    const auto begin = begin_.load(std::memory_order_relaxed);
    return begin == end_.load(std::memory_order_acquire) ? nullptr : &notes_[begin % notes_.size()];
  }
  void done() noexcept { begin_.store(begin_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

 private:
  std::vector<Note> notes_;
  std::uint32_t source_ = UINT32_MAX;  // of the last one
  alignas(64) std::atomic<std::uint64_t> end_{0};
  alignas(64) std::atomic<std::uint64_t> begin_{0};
};

}  // namespace wirespool::capture
