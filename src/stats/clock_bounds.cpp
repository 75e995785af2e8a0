// SPDX-License-Identifier: BSD-3-Clause
#include "stats/clock_bounds.hpp"

#include <algorithm>
#include <iterator>

#include "stats/ledger.hpp"

namespace wirespool::stats {

void ClockBounds::add(Timestamp now, const format::ClockBound& bound) {
  const std::lock_guard lock(mutex_);
  const auto era = steps_.empty() ? 0 : steps_.back().era + (now < steps_.back().to ? 1 : 0);
  if (!steps_.empty() && steps_.back().era == era) forget_narrower(bound);
  steps_.push_back({now, era, bound});
  if (steps_.size() <= most) return;
  steps_[1].bound = wider(steps_[0].bound, steps_[1].bound);
  steps_.pop_front();
}

// Only in the era of the last one.
void ClockBounds::forget_narrower(const format::ClockBound& bound) {
  const auto era = steps_.back().era;
  while (!steps_.empty() && steps_.back().era == era && wider(steps_.back().bound, bound) == bound) steps_.pop_back();
}

format::ClockBound ClockBounds::since(Timestamp first, Timestamp last, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  if (steps_.empty()) return {};
  const bool any_era = last.ns > now.ns + slack_ns;
  const auto concerned = [&](const Step& step) {
    return step.to >= first && (any_era || step.era == steps_.back().era);
  };
  auto step = std::ranges::find_if(steps_, concerned);
  if (step == steps_.end()) step = std::prev(steps_.end());
  auto widest = step->bound;
  for (++step; step != steps_.end(); ++step) widest = wider(widest, step->bound);
  return widest;
}

}  // namespace wirespool::stats
