// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "traffic/clock.hpp"
#include "traffic/counters.hpp"
#include "traffic/frames.hpp"
#include "traffic/sequence_watch.hpp"
#include "traffic/wire.hpp"

namespace wirespool::traffic {

// Counts what comes for this end, burst by burst. One thread.
class Receiver {
 public:
  struct Plan {
    bool check_payload = false;
    bool delays = false;            // what comes was sent by this process: its clock is ours
    std::uint32_t extra_bytes = 0;  // of a frame beyond what its Slot holds
  };
  // All references outlive it.
  Receiver(Wire& wire, const FrameCheck& check, ReceiveCounters& counters, const Plan& plan)
      : wire_(wire), check_(check), counters_(counters), watch_(most_flows, counters), plan_(plan) {}

  // One receive call. Returns the Slots of what was meant for this end, in order, in front: to be sent back. Valid
  // until the next call.
  std::span<Slot> poll() noexcept;

  void run(const StopFlag& stop) {
    while (!stop && !wire_.problem()) (void)poll();
  }

 private:
  bool take(Slot& slot, std::uint64_t now_ns) noexcept;

  Wire& wire_;
  FrameCheck check_;
  ReceiveCounters& counters_;
  SequenceWatch watch_;
  Plan plan_;
};

// Sends back at once what comes: a server. One thread.
class Echo {
 public:
  // `headers`: Slots are frames, to be turned around.
  Echo(Wire& wire, Receiver& receiver, SendCounters& counters, bool headers, bool wait, std::uint32_t extra_bytes)
      : wire_(wire),
        receiver_(receiver),
        counters_(counters),
        headers_(headers),
        wait_(wait),
        extra_bytes_(extra_bytes) {}

  void run(const StopFlag& stop);

 private:
  void send_back(std::span<Slot> slots, const StopFlag& stop);

  Wire& wire_;
  Receiver& receiver_;
  SendCounters& counters_;
  bool headers_, wait_;
  std::uint32_t extra_bytes_;
};

// Gives all that comes from one Wire to another, as it is. One thread.
class Forwarder {
 public:
  Forwarder(Wire& from, Wire& to, ReceiveCounters& received, SendCounters& sent, bool wait)
      : from_(from), to_(to), received_(received), sent_(sent), wait_(wait) {}

  void run(const StopFlag& stop);

 private:
  void give(std::span<Slot> slots, const StopFlag& stop);

  Wire& from_;
  Wire& to_;
  ReceiveCounters& received_;
  SendCounters& sent_;
  bool wait_;
};

}  // namespace wirespool::traffic
