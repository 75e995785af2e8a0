// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

namespace wirespool::test {

// Looks a hundred times a second, for a minute. Whether it happened.
bool wait_until(const auto& happened) {
  for (int i = 0; i < 6'000 && !happened(); ++i) usleep(10'000);
  return happened();
}

}  // namespace wirespool::test
