// SPDX-License-Identifier: BSD-3-Clause
#include "stats/peaks.hpp"

#include <algorithm>
#include <barrier>
#include <map>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

using namespace wirespool;
using namespace wirespool::stats;
using namespace wirespool::test;

namespace {

constexpr std::uint64_t us = 1'000, ms = 1'000'000, start = 1'767'225'600'000 * ms;
using Three = std::array<Peak, 3>;

}  // namespace

TEST_CASE("what a port receives is added up in windows of 100 us, 1 ms and 10 ms, and the largest are told") {
  Peaks port(0);
  QueuePeaks queue(&port);
  for (int i = 0; i < 3; ++i) queue.received(start + 10 * us, start + 30 * us, 64, 6400);
  queue.received(start + 150 * us, start + 160 * us, 10, 9000);
  queue.received(start + 5 * ms, start + 5 * ms, 1, 100);
  queue.received(start + 20 * ms, start + 20 * ms, 1, 60);
  queue.close();
  CHECK(port.take(start).peaks == Three{{{100 * us, 192, 19200}, {ms, 202, 28200}, {10 * ms, 203, 28300}}});
}

TEST_CASE("the window with the most packets need not be the one with the most bytes") {
  Peaks port(0);
  QueuePeaks queue(&port);
  queue.received(start, start, 100, 6400);
  queue.received(start + 20 * ms, start + 20 * ms, 10, 15140);
  queue.close();
  for (const auto& peak : port.take(start).peaks) {
    CHECK(peak.packets == 100);
    CHECK(peak.bytes == 15140);
  }
}

TEST_CASE("queues of a port add up to its windows, wherever their lcores are") {
  Peaks port(0);
  QueuePeaks one(&port), other(&port);
  one.received(start, start + 10 * us, 7, 700);
  other.received(start, start + 90 * us, 5, 500);
  other.close();
  one.close();
  CHECK(port.take(start).peaks[0] == Peak{100 * us, 12, 1200});
}

TEST_CASE("each take has the largest since the one before, and nothing if nothing came") {
  Peaks port(0);
  QueuePeaks queue(&port);
  queue.received(start, start, 9, 900);
  queue.look(start + 100 * us);
  CHECK(port.take(start).peaks[0].packets == 9);
  queue.received(start + 20 * ms, start + 20 * ms, 4, 400);
  queue.close();
  CHECK(port.take(start).peaks[0].packets == 4);
  CHECK(port.take(start).peaks == Three{{{100 * us, 0, 0}, {ms, 0, 0}, {10 * ms, 0, 0}}});
  for (int i = 0; i < 70'000; ++i) (void)port.take(start);  // intervals are told apart by 16 bits
  CHECK(port.take(start).peaks[0].packets == 0);
}

TEST_CASE("a window that is not over counts when it is, and if nothing else comes it is looked after") {
  Peaks port(0);
  QueuePeaks queue(&port);
  queue.received(start, start, 3, 300);
  queue.look(start + 50 * us);
  CHECK(port.take(start).peaks[0].packets == 0);
  queue.look(start + 100 * us);
  CHECK(port.take(start).peaks[0].packets == 3);
}

TEST_CASE("a clock that is set back begins a new window, and one that is set forward as well") {
  Peaks port(0);
  QueuePeaks queue(&port);
  queue.received(start, start, 3, 300);
  queue.received(start - 3600'000 * ms, start - 3600'000 * ms, 5, 500);
  queue.received(start + 3600'000 * ms, start + 3600'000 * ms, 4, 400);
  queue.close();
  CHECK(port.take(start).peaks[0] == Peak{100 * us, 5, 500});
}

TEST_CASE("whatever many lcores add at once, the largest windows are those of a plain sum") {
  const auto seed = GENERATE(take(5, random(0, 1'000'000)));
  CAPTURE(seed);
  constexpr std::size_t lcores = 3, rounds = 40, windows = 100;
  Peaks port(0);
  std::array<std::map<std::uint64_t, Peak>, 3> sums;
  std::vector<std::vector<Peak>> shares(lcores);  // by window
  Random random(static_cast<std::uint64_t>(seed));
  for (auto& own : shares)
    for (std::size_t i = 0; i < rounds * windows; ++i)
      own.push_back({i, random.below(3) ? random.below(1000) : 0, random.below(125'000)});
  for (const auto& own : shares)
    for (const auto& share : own) {
      if (share.packets == 0) continue;
      for (std::size_t length = 0; length < 3; ++length) {
        auto& sum = sums[length][(start / (100 * us) + share.window_ns) / (Peaks::window_ns[length] / (100 * us))];
        sum.packets += share.packets;
        sum.bytes += share.bytes;
      }
    }
  std::barrier together(static_cast<std::ptrdiff_t>(lcores));  // lcores are never 256 windows apart
  std::vector<std::thread> threads;
  for (const auto& own : shares) {
    threads.emplace_back([&] {
      QueuePeaks queue(&port);
      for (std::size_t i = 0; i < own.size(); ++i) {
        if (i % windows == 0) together.arrive_and_wait();
        const auto time = start + i * 100 * us;
        if (own[i].packets) queue.received(time, time, own[i].packets, own[i].bytes);
      }
      queue.close();
    });
  }
  for (auto& thread : threads) thread.join();
  const auto taken = port.take(start).peaks;
  for (std::size_t length = 0; length < 3; ++length) {
    CHECK(taken[length].packets == std::ranges::max_element(sums[length], {}, [](const auto& sum) {
                                     return sum.second.packets;
                                   })->second.packets);
    CHECK(taken[length].bytes ==
          std::ranges::max_element(sums[length], {}, [](const auto& sum) { return sum.second.bytes; })->second.bytes);
  }
}

TEST_CASE("a time without a packet that is longer than asked for is a hole, from one packet to the next") {
  Peaks port(10 * ms);
  QueuePeaks queue(&port);
  CHECK(port.take(start).holes->open_ns == 0);  // nothing came yet
  queue.received(start, start + 1, 2, 120);
  queue.received(start + 1 + 10 * ms, start + 1 + 10 * ms, 1, 60);  // just as long as that is none
  queue.received(start + 30 * ms, start + 31 * ms, 2, 120);
  const auto holes = *port.take(start + 32 * ms).holes;
  CHECK(holes.count == 1);
  CHECK(holes.total_ns == 20 * ms - 1);
  CHECK(holes.longest_ns == 20 * ms - 1);
  CHECK(holes.latest == std::vector<Hole>{{{start + 1 + 10 * ms}, {start + 30 * ms}}});
  CHECK(holes.open_ns == 0);
  const auto later = *port.take(start + 131 * ms).holes;
  CHECK(later.count == 1);
  CHECK(later.longest_ns == 0);
  CHECK(later.latest.empty());
  CHECK(later.open_ns == 100 * ms);
}

TEST_CASE("what another queue receives ends a hole of the port") {
  Peaks port(10 * ms);
  QueuePeaks one(&port), other(&port);
  one.received(start, start, 1, 60);
  other.received(start + 8 * ms, start + 8 * ms, 1, 60);
  one.received(start + 16 * ms, start + 16 * ms, 1, 60);
  CHECK(port.take(start).holes->count == 0);
}

TEST_CASE("of many holes all are counted, and the latest told") {
  Peaks port(ms);
  QueuePeaks queue(&port);
  for (std::uint64_t i = 0; i <= 40; ++i) queue.received(start + i * 2 * ms, start + i * 2 * ms, 1, 60);
  const auto holes = *port.take(start).holes;
  CHECK(holes.count == 40);
  CHECK(holes.total_ns == 80 * ms);
  REQUIRE(holes.latest.size() == Peaks::most_holes);
  CHECK(holes.latest.back() == Hole{{start + 78 * ms}, {start + 80 * ms}});
}

TEST_CASE("a clock that was set makes no hole") {
  Peaks port(10 * ms);
  QueuePeaks queue(&port);
  queue.received(start, start, 1, 60);
  queue.forget_time();
  queue.received(start + 3600'000 * ms, start + 3600'000 * ms, 1, 60);
  queue.forget_time();
  queue.received(start, start, 1, 60);
  queue.received(start + 11 * ms, start + 11 * ms, 1, 60);
  CHECK(port.take(start).holes->count == 1);
}

TEST_CASE("without --hole no hole is told of, not even as none") { CHECK_FALSE(Peaks(0).take(start).holes); }
