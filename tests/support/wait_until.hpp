// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

namespace wirespool::test {

// Looks a hundred times a second, for so long. Whether it happened.
bool wait_until(const auto& happened, int seconds = 60) {
  for (int i = 0; i < 100 * seconds; ++i) {
    if (happened()) return true;  // asked no more: it may be something done
    usleep(10'000);
  }
  return happened();
}

}  // namespace wirespool::test
