// SPDX-License-Identifier: BSD-3-Clause
#include "stats/peaks.hpp"

#include <algorithm>
#include <utility>

namespace wirespool::stats {
namespace {

constexpr std::uint64_t low_bits(unsigned bits) { return (std::uint64_t{1} << bits) - 1; }
constexpr unsigned byte_bits = 29, packet_bits = 23;
constexpr unsigned window_bits = 64 - byte_bits - packet_bits;
constexpr unsigned value_bits = 48;  // of a largest one; above them the interval

constexpr std::uint64_t packed(std::uint64_t window, std::uint64_t packets, std::uint64_t bytes) {
  return (window & low_bits(window_bits)) << (packet_bits + byte_bits) |
         std::min(packets, low_bits(packet_bits)) << byte_bits | std::min(bytes, low_bits(byte_bits));
}
constexpr std::uint64_t window_of(std::uint64_t sum) { return sum >> (packet_bits + byte_bits); }
constexpr std::uint64_t packets_of(std::uint64_t sum) { return sum >> byte_bits & low_bits(packet_bits); }
constexpr std::uint64_t bytes_of(std::uint64_t sum) { return sum & low_bits(byte_bits); }

// Whether window `a` comes before `b`, both modulo 2^12.
constexpr bool before(std::uint64_t a, std::uint64_t b) {
  return ((a - b) & low_bits(window_bits)) > low_bits(window_bits) / 2;
}

}  // namespace

void Peaks::Largest::raise(std::uint64_t interval, std::uint64_t value) noexcept {
  auto& cell = cells_[interval % 2];
  const auto raised = (interval << value_bits) | std::min(value, low_bits(value_bits));
  auto now = cell.load(std::memory_order_relaxed);
  do {
    const auto ahead = static_cast<std::int16_t>((now >> value_bits) - (raised >> value_bits));
    if (ahead > 0 || (ahead == 0 && now >= raised)) return;
  } while (!cell.compare_exchange_weak(now, raised, std::memory_order_relaxed));
}

std::uint64_t Peaks::Largest::of(std::uint64_t interval) const noexcept {
  const auto cell = cells_[interval % 2].load(std::memory_order_relaxed);
  return cell >> value_bits == (interval & low_bits(64 - value_bits)) ? cell & low_bits(value_bits) : 0;
}

void Peaks::Largest::end_interval(std::uint64_t interval) noexcept {
  const auto before = interval == 0 ? 0 : of(interval - 1);
  late_ = before > told_ ? before : 0;
  cells_[(interval + 1) % 2].store((interval + 1) << value_bits, std::memory_order_relaxed);
}

std::uint64_t Peaks::Largest::take(std::uint64_t interval) noexcept {
  told_ = of(interval);
  return std::max(late_, told_);
}

void Peaks::add(std::size_t length, std::uint64_t window, std::uint64_t packets, std::uint64_t bytes) noexcept {
  auto& sum = sums_[length][window % open_windows];
  auto now = sum.load(std::memory_order_relaxed);
  const auto own = packed(window, packets, bytes);
  auto next = own;
  do {
    const auto there = window_of(now);
    next = there == window_of(own) ? packed(window, packets_of(now) + packets, bytes_of(now) + bytes) : own;
    if (now != 0 && before(window_of(own), there)) break;  // long over for the others: by itself
  } while (!sum.compare_exchange_weak(now, next, std::memory_order_relaxed));
  const auto interval = interval_.load(std::memory_order_relaxed);
  most_packets_[length].raise(interval, packets_of(next));
  most_bytes_[length].raise(interval, bytes_of(next));
}

std::uint64_t Peaks::end_interval() noexcept {
  const auto interval = interval_.load(std::memory_order_relaxed);
  for (auto& largest : most_packets_) largest.end_interval(interval);
  for (auto& largest : most_bytes_) largest.end_interval(interval);
  longest_.end_interval(interval);
  interval_.store(interval + 1, std::memory_order_release);
  return interval;
}

Peaks::Taken Peaks::take(std::uint64_t now_ns) {
  const auto interval = end_interval();
  Taken taken;
  for (std::size_t length = 0; length < window_ns.size(); ++length)
    taken.peaks[length] = {window_ns[length], most_packets_[length].take(interval), most_bytes_[length].take(interval)};
  if (looks_for_holes()) taken.holes = take_holes(interval, now_ns);
  return taken;
}

Holes Peaks::take_holes(std::uint64_t interval, std::uint64_t now_ns) {
  Holes holes;
  holes.count = holes_.load(std::memory_order_acquire);
  holes.total_ns = holes_ns_.load(std::memory_order_relaxed);
  holes.longest_ns = longest_.take(interval);
  const auto oldest = holes.count - std::min<std::uint64_t>(holes.count - holes_taken_, most_holes);
  for (auto number = oldest + 1; number <= holes.count; ++number) {
    const auto& cell = latest_[number % most_holes];
    if (cell.number.load(std::memory_order_acquire) != number) continue;
    const Hole hole{{cell.from.load(std::memory_order_relaxed)}, {cell.to.load(std::memory_order_relaxed)}};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (cell.number.load(std::memory_order_relaxed) == number) holes.latest.push_back(hole);
  }
  holes_taken_ = holes.count;
  const auto last = last_ns_.load(std::memory_order_relaxed);
  if (last != 0 && now_ns > last && now_ns - last > hole_ns_) holes.open_ns = now_ns - last;
  return holes;
}

void Peaks::heard(std::uint64_t first_ns, std::uint64_t last_ns) noexcept {
  auto before = last_ns_.load(std::memory_order_relaxed);
  while (before < last_ns && !last_ns_.compare_exchange_weak(before, last_ns, std::memory_order_relaxed)) continue;
  if (before != 0 && first_ns > before && first_ns - before > hole_ns_) [[unlikely]]
    end_hole(before, first_ns);
}

void Peaks::end_hole(std::uint64_t from_ns, std::uint64_t to_ns) noexcept {
  const auto number = holes_.fetch_add(1, std::memory_order_relaxed) + 1;
  holes_ns_.fetch_add(to_ns - from_ns, std::memory_order_relaxed);
  longest_.raise(interval_.load(std::memory_order_relaxed), to_ns - from_ns);
  auto& cell = latest_[number % most_holes];
  cell.number.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  cell.from.store(from_ns, std::memory_order_relaxed);
  cell.to.store(to_ns, std::memory_order_relaxed);
  cell.number.store(number, std::memory_order_release);
}

// The window is over: it is a share of the port's, and part of the longer one it was in.
void QueuePeaks::end(std::size_t length) noexcept {
  auto& own = open_[length];
  if (own.packets == 0) return;
  const auto window_ns = Peaks::window_ns[length];
  if (port_) port_->add(length, own.begin_ns / window_ns, own.packets, own.bytes);
  if (length + 1 < open_.size()) {
    auto& longer = open_[length + 1];
    const auto longer_ns = Peaks::window_ns[length + 1];
    const auto begin_ns = own.begin_ns - own.begin_ns % longer_ns;
    if (longer.begin_ns != begin_ns) {
      end(length + 1);
      longer.begin_ns = begin_ns;
    }
    longer.packets += own.packets;
    longer.bytes += own.bytes;
  }
  own.packets = own.bytes = 0;
}

// The next window of the shortest length is the one of this time.
void QueuePeaks::go_on(std::uint64_t now_ns) noexcept {
  end(0);
  open_[0].begin_ns = now_ns - now_ns % Peaks::window_ns[0];
}

}  // namespace wirespool::stats
