// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "traffic/clock.hpp"
#include "traffic/counters.hpp"
#include "traffic/frames.hpp"
#include "traffic/request.hpp"
#include "traffic/wire.hpp"

namespace wirespool::traffic {

// How a Sender offers packets.
struct SendPlan {
  std::optional<std::uint64_t> rate;  // packets a second; none: the next burst as soon as the last one was offered
  unsigned burst = 1;
  bool wait = false;  // for room on the Wire, instead of giving packets up; asleep until a burst is due
  std::uint64_t warmup_ns = 0;
  std::uint64_t duration_ns = UINT64_MAX, count = UINT64_MAX;
};

// An open loop: each burst has its time, by rate and start alone, and what is late is made up for. One thread.
class Sender {
 public:
  // `extra_bytes`: of a frame beyond what its Slot holds. All references outlive it.
  Sender(Wire& wire, FrameMaker& frames, SendCounters& counters, const SendPlan& plan, std::uint32_t extra_bytes)
      : wire_(wire), frames_(frames), counters_(counters), plan_(plan), extra_bytes_(extra_bytes) {}

  // Returns when all is sent, or the Wire is of no use any more, or `stop` is set. `idle` is called again and again
  // while no burst is due.
  void run(const StopFlag& stop, const std::function<void()>& idle = {});

 private:
  struct Phase {
    bool warm_up = false;
    std::uint64_t duration_ns = UINT64_MAX, count = UINT64_MAX;
  };
  void run_phase(const Phase& phase, const StopFlag& stop, const std::function<void()>& idle);
  std::uint64_t wait_for(std::uint64_t due_ns, const StopFlag& stop, const std::function<void()>& idle);
  unsigned offer(unsigned due, std::uint64_t first, std::uint64_t intended_ns, const Phase& phase,
                 const StopFlag& stop);

  Wire& wire_;
  FrameMaker& frames_;
  SendCounters& counters_;
  SendPlan plan_;
  std::uint32_t extra_bytes_;
};

// Offers `slots` to the Wire until it took all of them, it is of no use any more, or `stop` is set. Returns how many it
// took.
unsigned push_all(Wire& wire, std::span<Slot> slots, const StopFlag& stop);

// Counts Slots that were offered and of which the Wire took the first `taken`; `extra_bytes` as a Sender has them.
void count_offered(SendCounters& counters, std::span<const Slot> offered, unsigned taken, std::uint32_t extra_bytes);

}  // namespace wirespool::traffic
