// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::stats {

// The most that came within any window of one length: not necessarily of both in the same window.
struct Peak {
  std::uint64_t window_ns = 0, packets = 0, bytes = 0;

  bool operator==(const Peak&) const = default;
};

// A time in which nothing came, from one packet to the next.
struct Hole {
  Timestamp from, to;

  bool operator==(const Hole&) const = default;
};

// Holes that ended, since the start and since they were last taken.
struct Holes {
  std::uint64_t count = 0, total_ns = 0;  // since the start
  std::uint64_t longest_ns = 0;           // since they were last taken, as is what follows
  std::vector<Hole> latest;               // at most Peaks::most_holes
  std::uint64_t open_ns = 0;              // how long nothing has come now, if that is long enough to be one; else 0
};

// What queues of a port received within windows of 100 us, 1 ms and 10 ms of the packets' time, added up over all of
// its lcores, and the largest of these; and times longer than `hole_ns` in which none of them received anything. Rates
// of whole seconds do not show what overruns a ring of 1024 descriptors (69 us at 14.9 Mpps).
//
// Many lcores add, each through a QueuePeaks of its own; one thread takes. Nobody waits for anybody, and nothing is
// allocated but by take().
class Peaks {
 public:
  static constexpr std::array<std::uint64_t, 3> window_ns{100'000, 1'000'000, 10'000'000};
  static constexpr std::size_t most_holes = 16;

  // `hole_ns`: 0: holes are not looked for.
  explicit Peaks(std::uint64_t hole_ns) noexcept : hole_ns_(hole_ns) {}

  bool looks_for_holes() const noexcept { return hole_ns_ != 0; }

  // What one queue received in window number `window` since 1970 of this length (index of window_ns). A share that
  // comes when that of another queue is 256 windows ahead (25 ms at least: an lcore lost its CPU) is looked at by
  // itself.
  void add(std::size_t length, std::uint64_t window, std::uint64_t packets, std::uint64_t bytes) noexcept;

  // A queue received packets of these times, in order. The first of lcores that report the end of a hole decides when
  // that was: what another received meanwhile makes it shorter by as much as their Bursts are apart.
  void heard(std::uint64_t first_ns, std::uint64_t last_ns) noexcept;

  // The clock was set: no hole ends with what comes next.
  void forget_time() noexcept { last_ns_.store(0, std::memory_order_relaxed); }

  struct Taken {
    std::array<Peak, window_ns.size()> peaks{};  // of windows whose shares have been added by now
    std::optional<Holes> holes;                  // nullopt: they are not looked for
  };
  Taken take(std::uint64_t now_ns);  // since the last time

 private:
  // The sum of a window that is added to: its number (modulo 2^12), packets (23 bits: 838 Mpps in 10 ms) and bytes (29
  // bits: 429 Gbit/s; more is taken for that).
  static constexpr std::size_t open_windows = 256;
  using Sums = std::array<std::atomic<std::uint64_t>, open_windows>;

  // The largest value of an interval, which is told by the number of takes before it (modulo 2^16), beside that of the
  // interval before it, to which somebody may still be adding.
  class Largest {
   public:
    void raise(std::uint64_t interval, std::uint64_t value) noexcept;
    // What came too late for the take before is this interval's; and room for the one that begins.
    void end_interval(std::uint64_t interval) noexcept;
    std::uint64_t take(std::uint64_t interval) noexcept;

   private:
    std::uint64_t of(std::uint64_t interval) const noexcept;
    std::array<std::atomic<std::uint64_t>, 2> cells_{};
    std::uint64_t told_ = 0, late_ = 0;  // the taker's
  };

  // A hole, readable if `number` is what was asked for before and after.
  struct HoleCell {
    std::atomic<std::uint64_t> number{0}, from{0}, to{0};
  };

  void end_hole(std::uint64_t from_ns, std::uint64_t to_ns) noexcept;
  std::uint64_t end_interval() noexcept;
  Holes take_holes(std::uint64_t interval, std::uint64_t now_ns);

  const std::uint64_t hole_ns_;
  std::array<Sums, window_ns.size()> sums_{};
  std::atomic<std::uint64_t> interval_{0};
  std::array<Largest, window_ns.size()> most_packets_, most_bytes_;

  std::atomic<std::uint64_t> last_ns_{0};
  std::atomic<std::uint64_t> holes_{0}, holes_ns_{0};
  Largest longest_;
  std::array<HoleCell, most_holes> latest_;
  std::uint64_t holes_taken_ = 0;  // the taker's
};

// What one RxQueue received in the windows that are open, which become shares of its port's when they are over. Its RX
// lcore's.
class QueuePeaks {
 public:
  explicit QueuePeaks(Peaks* port = nullptr) noexcept : port_(port), holes_(port && port->looks_for_holes()) {}

  // A Burst that is not empty: `packets` of `bytes`, stamped from `first_ns` to `last_ns`. It counts as of its last
  // one.
  void received(std::uint64_t first_ns, std::uint64_t last_ns, std::uint64_t packets, std::uint64_t bytes) noexcept {
    if (open_[0].is_over(0, last_ns)) [[unlikely]]
      go_on(last_ns);  // or the clock was set back
    open_[0].packets += packets;
    open_[0].bytes += bytes;
    if (holes_) port_->heard(first_ns, last_ns);
  }

  // Now and then: windows that are over by now are added up, whether more comes or not.
  void look(std::uint64_t now_ns) noexcept {
    for (std::size_t length = 0; length < open_.size(); ++length)
      if (open_[length].packets && open_[length].is_over(length, now_ns)) end(length);
  }
  void close() noexcept {  // at the end: all of them
    for (std::size_t length = 0; length < open_.size(); ++length) end(length);
  }

  void forget_time() noexcept {
    if (holes_) port_->forget_time();
  }

 private:
  struct Window {
    std::uint64_t begin_ns = 0, packets = 0, bytes = 0;
    bool is_over(std::size_t length, std::uint64_t now_ns) const noexcept {
      return now_ns - begin_ns >= Peaks::window_ns[length];
    }
  };

  void go_on(std::uint64_t now_ns) noexcept;
  void end(std::size_t length) noexcept;

  Peaks* port_;
  bool holes_;
  std::array<Window, Peaks::window_ns.size()> open_{};  // each with what those of it have that are over
};

}  // namespace wirespool::stats
