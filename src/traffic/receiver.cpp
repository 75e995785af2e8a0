// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/receiver.hpp"

#include <utility>

#include "traffic/sender.hpp"

namespace wirespool::traffic {
namespace {

std::uint64_t bytes_of(std::span<const Slot> slots) noexcept {
  std::uint64_t bytes = 0;
  for (const auto& slot : slots) bytes += slot.bytes;
  return bytes;
}

void note_time(ReceiveCounters& counters, std::uint64_t now_ns) noexcept {
  if (counters.began_ns.get() == 0) counters.began_ns.set(now_ns);
  counters.ended_ns.set(now_ns);
}

}  // namespace

std::span<Slot> Receiver::poll() noexcept {
  const auto slots = wire_.receive();
  if (slots.empty()) return {};
  const auto now = steady_ns();
  std::size_t ours = 0;
  for (auto& slot : slots) {
    if (take(slot, now)) std::swap(slots[ours++], slot);
  }
  return slots.first(ours);
}

bool Receiver::take(Slot& slot, std::uint64_t now_ns) noexcept {
  const auto payload = check_.payload_of(slot);
  if (payload.empty()) return ++counters_.foreign, false;
  const auto head = PayloadHead::load(payload.data());
  slot.warm_up = head.warm_up;
  if (head.warm_up) return ++counters_.warm_up, true;
  if (!watch_.saw(head)) return ++counters_.foreign, false;
  ++counters_.received;
  counters_.received_bytes.add(slot.bytes + plan_.extra_bytes);
  note_time(counters_, now_ns);
  if (plan_.check_payload && !has_pattern(payload, head)) ++counters_.corrupt;
  if (plan_.delays) counters_.delay.add(now_ns > head.intended_ns ? now_ns - head.intended_ns : 0);
  return true;
}

void Echo::run(const StopFlag& stop) {
  while (!stop && !wire_.problem()) {
    const auto ours = receiver_.poll();
    if (!ours.empty()) send_back(ours, stop);
  }
}

void Echo::send_back(std::span<Slot> slots, const StopFlag& stop) {
  if (headers_) {
    for (auto& slot : slots) turn_around({slot.data, slot.bytes});
  }
  const unsigned taken = wait_ ? push_all(wire_, slots, stop) : wire_.send(slots);
  count_offered(counters_, slots, taken, extra_bytes_);
}

void Forwarder::run(const StopFlag& stop) {
  while (!stop && !from_.problem() && !to_.problem()) {
    const auto slots = from_.receive();
    if (!slots.empty()) give(slots, stop);
  }
}

// Frames that are too long for the other side are given up one by one; the rest goes on in order.
void Forwarder::give(std::span<Slot> slots, const StopFlag& stop) {
  note_time(received_, steady_ns());
  received_.received.add(slots.size());
  received_.received_bytes.add(bytes_of(slots));
  const auto fits = [this](const Slot& slot) { return to_.fits({slot.data, slot.bytes}); };
  for (std::size_t at = 0; at < slots.size();) {
    std::size_t end = at;
    while (end < slots.size() && fits(slots[end])) ++end;
    const auto run = slots.subspan(at, end - at);
    if (!run.empty()) count_offered(sent_, run, wait_ ? push_all(to_, run, stop) : to_.send(run), 0);
    if (end < slots.size()) {
      ++sent_.tried;
      ++sent_.dropped;
      ++sent_.unsendable;
      ++end;
    }
    at = end;
  }
}

}  // namespace wirespool::traffic
