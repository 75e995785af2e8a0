// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "wirespool/timestamp.hpp"

namespace wirespool::policy {

// Stamps for the n packets of a Burst that arrived between two polls: evenly spaced, the last one at the second poll.
// `first + i * step` is packet i's; they strictly increase, also across Bursts.
struct StampRun {
  std::uint64_t first_ns = 0;
  std::uint64_t step_ns = 1;
};

// The times of one RX lcore's packets by the TSC. A polling lcore calls `polled` for every receive call, whatever it
// returned.
class Stamper {
 public:
  StampRun polled(Timestamp now, std::uint32_t packets) noexcept {
    const std::uint64_t since = last_ns_;
    if (packets == 0) {
      last_ns_ = std::max(now.ns, since);
      return {};
    }
    const std::uint64_t until = std::max(now.ns, since + packets);
    const std::uint64_t step = since == 0 ? 1 : (until - since) / packets;
    last_ns_ = until;
    return {until - step * (packets - 1), step};
  }

  // When the last receive call returned.
  std::uint64_t last_ns() const noexcept { return last_ns_; }

  // UTC was stepped back (ClockLine::epoch changed): later stamps may be earlier than those already given.
  void restart() noexcept { last_ns_ = 0; }

 private:
  std::uint64_t last_ns_ = 0;
};

}  // namespace wirespool::policy
