// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/sender.hpp"

#include <algorithm>
#include <thread>

#include "traffic/pacer.hpp"

namespace wirespool::traffic {
namespace {

// How long a sender that is behind its rate may take beyond the duration to offer what was due within it.
constexpr std::uint64_t grace_ns = 1'000'000'000;

constexpr std::uint64_t later(std::uint64_t moment, std::uint64_t by) {
  return by > UINT64_MAX - moment ? UINT64_MAX : moment + by;
}

}  // namespace

unsigned push_all(Wire& wire, std::span<Slot> slots, const StopFlag& stop) {
  std::size_t taken = 0;
  while (taken < slots.size()) {
    const unsigned more = wire.send(slots.subspan(taken));
    taken += more;
    if (more > 0) continue;
    if (stop || wire.problem()) break;
    std::this_thread::yield();
  }
  return static_cast<unsigned>(taken);
}

void count_offered(SendCounters& counters, std::span<const Slot> offered, unsigned taken, std::uint32_t extra_bytes) {
  std::uint64_t bytes = 0, packets = 0, warm_up = 0;
  for (const auto& slot : offered.first(taken)) {
    bytes += slot.warm_up ? 0 : slot.bytes + extra_bytes;
    packets += slot.warm_up ? 0 : 1;
    warm_up += slot.warm_up ? 1 : 0;
  }
  const auto left = offered.size() - taken;
  counters.tried.add(packets + left);
  counters.sent.add(packets);
  counters.sent_bytes.add(bytes);
  counters.warm_up.add(warm_up);
  counters.dropped.add(left);
}

void Sender::run(const StopFlag& stop, const std::function<void()>& idle) {
  if (plan_.warmup_ns > 0) run_phase({true, plan_.warmup_ns, UINT64_MAX}, stop, idle);
  run_phase({false, plan_.duration_ns, plan_.count}, stop, idle);
}

void Sender::run_phase(const Phase& phase, const StopFlag& stop, const std::function<void()>& idle) {
  const auto start = steady_ns();
  const auto end = later(start, phase.duration_ns), latest = later(end, plan_.rate ? grace_ns : 0);
  const Pacer pacer(start, plan_.rate.value_or(1), plan_.burst);
  if (!phase.warm_up) counters_.began_ns.set(start);
  std::uint64_t tried = 0, sent = 0;
  while (!stop && tried < phase.count) {
    const auto due = plan_.rate ? pacer.due_ns(tried) : steady_ns();
    if (due >= end) break;
    const auto now = plan_.rate ? wait_for(due, stop, idle) : due;
    if (stop || now >= latest || wire_.problem()) break;
    if (idle && !plan_.rate) idle();
    const auto count = static_cast<unsigned>(std::min<std::uint64_t>(plan_.burst, phase.count - tried));
    if (!phase.warm_up && plan_.rate) counters_.lateness.add(now - due);
    sent += offer(count, sent, due, phase, stop);
    tried += count;
    if (!phase.warm_up) counters_.ended_ns.set(steady_ns());
  }
  // The last burst's time ends when the next one would have been due.
  if (!phase.warm_up && plan_.rate) counters_.ended_ns.set(std::max(counters_.ended_ns.get(), pacer.due_ns(tried)));
}

std::uint64_t Sender::wait_for(std::uint64_t due_ns, const StopFlag& stop, const std::function<void()>& idle) {
  for (;;) {
    const auto now = steady_ns();
    if (now >= due_ns || stop) return now;
    if (idle) idle();
    if (plan_.wait) sleep_until(due_ns);
  }
}

// Without memory for all of them, or room on the Wire, the rest is given up, or with `wait` offered again.
unsigned Sender::offer(unsigned due, std::uint64_t first, std::uint64_t intended_ns, const Phase& phase,
                       const StopFlag& stop) {
  unsigned taken = 0;
  do {
    const auto slots = wire_.room(due - taken);
    frames_.make(slots, first + taken, intended_ns, phase.warm_up);
    const unsigned now = plan_.wait ? push_all(wire_, slots, stop) : wire_.send(slots);
    count_offered(counters_, slots.first(now), now, extra_bytes_);
    taken += now;
    if (slots.empty()) std::this_thread::yield();
  } while (plan_.wait && taken < due && !stop && !wire_.problem());
  if (phase.warm_up) return taken;
  counters_.tried.add(due - taken);
  counters_.dropped.add(due - taken);
  return taken;
}

}  // namespace wirespool::traffic
