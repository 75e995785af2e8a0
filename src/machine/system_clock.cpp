// SPDX-License-Identifier: BSD-3-Clause
#include "machine/system_clock.hpp"

#include <sys/timex.h>

namespace wirespool::machine {

// With modes 0 adjtimex(2) only reads.
std::optional<ClockFacts> look_at_clock() {
  timex clock{};
  const int state = adjtimex(&clock);
  if (state < 0) return std::nullopt;
  return ClockFacts{(clock.status & STA_UNSYNC) == 0, static_cast<std::uint64_t>(clock.maxerror),
                    static_cast<std::uint64_t>(clock.esterror)};
}

}  // namespace wirespool::machine
