// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

#include "format/ledger_line.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::stats {

// Bounds on how far stamps were from UTC, one after another as a capture finds them, so that the widest of any time up
// to now can be given: for a file when it is sealed. Any thread; holds its lock only for the look-up.
class ClockBounds {
 public:
  // A bound that holds from the previous one's `now` to this `now` (UTC). If `now` is earlier than the previous one,
  // UTC was set back.
  void add(Timestamp now, const format::ClockBound& bound);

  // The widest bound since a packet was stamped `first`, always including the newest. `last`: the latest stamp in
  // question; if it is ahead of `now`, it is from before UTC was set back. Without any bound, nothing is known.
  format::ClockBound since(Timestamp first, Timestamp last, Timestamp now) const;

 private:
  struct Step {
    Timestamp to;
    std::uint32_t era = 0;  // counts how often UTC was set back
    format::ClockBound bound;
  };
  static constexpr std::size_t most = 1024;
  // Stamps are never this far ahead of UTC: steps of UTC from 100 ms on are taken over at once, smaller ones steered
  // out.
  static constexpr std::uint64_t slack_ns = 50'000'000;

  void forget_narrower(const format::ClockBound& bound);

  mutable std::mutex mutex_;
  // In order of arrival. A bound that is no wider than a later one, and has the same words, can never be the answer and
  // is left out; when there are more than `most`, the oldest two become one.
  std::deque<Step> steps_;
};

}  // namespace wirespool::stats
