// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace wirespool::policy {

// An lcore as a watchdog sees it.
struct LcoreMark {
  std::uint64_t turns = 0;  // of its loop, so far
  bool excused = false;     // it has ended, or waits for others on purpose
};

// Whether every lcore has turned since it was last asked. One that hangs, in a driver or on a drive, is noticed; one
// that only finds nothing to do is not.
class Progress {
 public:
  bool made(std::vector<LcoreMark> now) {
    const bool all = std::ranges::equal(now, before_, [](const LcoreMark& mark, const LcoreMark& old) {
      return mark.excused || mark.turns != old.turns;
    });
    const bool first = before_.empty();
    before_ = std::move(now);
    return first || all;
  }

 private:
  std::vector<LcoreMark> before_;
};

}  // namespace wirespool::policy
