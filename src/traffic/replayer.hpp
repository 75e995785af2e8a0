// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "traffic/clock.hpp"
#include "traffic/counters.hpp"
#include "traffic/packet_feed.hpp"
#include "traffic/wire.hpp"

namespace wirespool::traffic {

// How a capture is sent again.
struct ReplayPlan {
  double speed = 1;                   // the capture's gaps divided by it
  std::optional<std::uint64_t> rate;  // or packets a second
  unsigned burst = 1;                 // at most so many in one call, of those that are due
  bool wait = false;
  std::uint64_t duration_ns = UINT64_MAX, count = UINT64_MAX;
};

// Sends a capture's frames again, as they are and in their order, each at its time. What is not Ethernet as the
// interface takes it (less than 14 bytes, or more than fit) is unsendable: counted, and left out. One thread.
class Replayer {
 public:
  Replayer(Wire& wire, PacketFeed& feed, SendCounters& counters, const ReplayPlan& plan)
      : wire_(wire), feed_(feed), counters_(counters), plan_(plan) {}

  void run(const StopFlag& stop);

 private:
  std::uint64_t due_ns(const FedPacket& packet, std::uint64_t number) const noexcept;
  unsigned gather(std::span<Slot> slots, std::uint64_t now_ns);
  void note_gap(std::uint64_t late_ns) noexcept;

  Wire& wire_;
  PacketFeed& feed_;
  SendCounters& counters_;
  ReplayPlan plan_;
  std::uint64_t start_ns_ = 0, number_ = 0;
  std::optional<std::uint64_t> last_late_ns_;
};

}  // namespace wirespool::traffic
