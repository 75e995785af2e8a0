// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/replayer.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include "traffic/pacer.hpp"
#include "traffic/sender.hpp"

namespace wirespool::traffic {

std::uint64_t Replayer::due_ns(const FedPacket& packet, std::uint64_t number) const noexcept {
  if (plan_.rate) return Pacer(start_ns_, *plan_.rate, 1).due_ns(number);
  return start_ns_ + static_cast<std::uint64_t>(static_cast<double>(packet.after_ns) / plan_.speed);
}

void Replayer::note_gap(std::uint64_t late_ns) noexcept {
  counters_.lateness.add(late_ns);
  if (last_late_ns_)
    counters_.gap_error.add(late_ns > *last_late_ns_ ? late_ns - *last_late_ns_ : *last_late_ns_ - late_ns);
  last_late_ns_ = late_ns;
}

// Copies the packets that are due by now into Slots, as far as these go; returns how many.
unsigned Replayer::gather(std::span<Slot> slots, std::uint64_t now_ns) {
  unsigned count = 0;
  while (count < slots.size() && number_ < plan_.count) {
    const auto* packet = feed_.look();
    if (packet == nullptr) break;
    const auto due = due_ns(*packet, number_);
    if (due > now_ns || due - start_ns_ >= plan_.duration_ns) break;
    ++number_;
    if (wire_.fits(packet->bytes)) {
      slots[count].bytes = static_cast<std::uint32_t>(packet->bytes.size());
      std::memcpy(slots[count++].data, packet->bytes.data(), packet->bytes.size());
      if (packet->cut) ++counters_.cut;
      note_gap(now_ns - due);
    } else {
      ++counters_.tried;
      ++counters_.dropped;
      ++counters_.unsendable;
    }
    feed_.take();
  }
  return count;
}

void Replayer::run(const StopFlag& stop) {
  start_ns_ = steady_ns();
  counters_.began_ns.set(start_ns_);
  while (!stop && !wire_.problem() && number_ < plan_.count) {
    const auto* packet = feed_.look();
    if (packet == nullptr) break;
    const auto due = due_ns(*packet, number_);
    if (due - start_ns_ >= plan_.duration_ns) break;
    const auto now = steady_ns();
    if (now < due) {
      if (plan_.wait) sleep_until(due);
      continue;
    }
    auto slots = wire_.room(plan_.burst);
    if (slots.empty()) {
      std::this_thread::yield();
      continue;
    }
    slots = slots.first(gather(slots, now));
    const unsigned taken = plan_.wait ? push_all(wire_, slots, stop) : wire_.send(slots);
    count_offered(counters_, slots, taken, 0);
    counters_.ended_ns.set(steady_ns());
  }
}

}  // namespace wirespool::traffic
