// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

#include "format/ledger_line.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::stats {

// How far stamps were from UTC at most, bound after bound as a capture finds them, so that the widest can be given for
// any time up to now: that of a file when it is sealed. Any thread; nobody is kept for longer than it takes to look.
class ClockBounds {
 public:
  // A bound that holds for the time since the one before, up to `now` (UTC). If that is earlier than the last one, UTC
  // was set back.
  void add(Timestamp now, const format::ClockBound& bound);

  // The widest from when a packet was stamped `first` until now, and the newest at least. `last`: the latest stamp that
  // is asked about; one that lies ahead of `now` is from before UTC was set back. Without any bound nothing is known.
  format::ClockBound since(Timestamp first, Timestamp last, Timestamp now) const;

 private:
  struct Step {
    Timestamp to;
    std::uint32_t era = 0;  // counts how often UTC was set back
    format::ClockBound bound;
  };
  static constexpr std::size_t most = 1024;
  // A stamp is not so far ahead of UTC: from 100 ms on a step of UTC is taken over, less is steered out.
  static constexpr std::uint64_t slack_ns = 50'000'000;

  void forget_narrower(const format::ClockBound& bound);

  mutable std::mutex mutex_;
  // As they came. One that is no wider than one after it, and says the same words, can never be the answer and is left
  // out; of more than `most` the oldest two become one.
  std::deque<Step> steps_;
};

}  // namespace wirespool::stats
