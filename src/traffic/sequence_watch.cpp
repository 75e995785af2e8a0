// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/sequence_watch.hpp"

#include <algorithm>

namespace wirespool::traffic {

bool SequenceWatch::Flow::take(std::uint64_t number) noexcept {
  auto& word = seen[number % window / 64];
  const auto bit = std::uint64_t{1} << number % 64;
  const bool before = (word & bit) != 0;
  word |= bit;
  return !before;
}

void SequenceWatch::Flow::clear(std::uint64_t from, std::uint64_t to) noexcept {
  if (to - from >= window) {
    seen.fill(0);
    return;
  }
  for (auto number = from; number < to; ++number) seen[number % window / 64] &= ~(std::uint64_t{1} << number % 64);
}

bool SequenceWatch::saw(const PayloadHead& head) noexcept {
  if (head.flow >= flows_.size()) return false;
  auto& flow = flows_[head.flow];
  if (head.run != flow.run) {
    flow.run = head.run;
    flow.next = 0;
  }
  if (head.number >= flow.next) {
    flow.clear(flow.next, head.number + 1);
    (void)flow.take(head.number);
    counters_.expected.add(head.number + 1 - flow.next);
    ++counters_.arrived;
    flow.next = head.number + 1;
    return true;
  }
  const bool known = flow.next - head.number <= window;
  if (known && !flow.take(head.number)) {
    ++counters_.duplicates;
    return true;
  }
  ++counters_.reordered;
  ++counters_.arrived;
  return true;
}

}  // namespace wirespool::traffic
