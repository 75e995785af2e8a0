// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdlib>
#include <random>
#include <thread>

#include "policy/shared_clock.hpp"
#include "policy/timebase.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::policy;

namespace {

constexpr double period_s = 0.1;

// A counter and a UTC clock that tick at rates of our choosing.
struct Clocks {
  double hz = 2.6e9;
  double utc_ppm = 0;  // how much faster UTC runs than true time
  double true_s = 0;
  double utc_ns = 1.7e18 - 1.7e18;
  std::uint64_t base_ns = 1'700'000'000'000'000'000;
  double ticks = 1e12;

  void advance(double seconds) {
    true_s += seconds;
    ticks += seconds * hz;
    utc_ns += seconds * 1e9 * (1 + utc_ppm * 1e-6);
  }
  ClockSample sample(double error_ns = 0) const {
    return {{static_cast<std::uint64_t>(ticks)}, {base_ns + static_cast<std::uint64_t>(utc_ns + error_ns)}};
  }
};

std::int64_t error_of(const ClockLine& line, const Clocks& clocks) {
  const auto now = clocks.sample();
  return static_cast<std::int64_t>(line.to_utc(now.ticks).ns - now.utc.ns);
}

}  // namespace

TEST_CASE("a counter 200 ppm off its announced rate is within a microsecond after a second", "[timebase]") {
  Clocks clocks;
  Timebase timebase(clocks.sample(), clocks.hz * 1.0002);
  for (int i = 0; i < 10; ++i) {
    clocks.advance(period_s);
    timebase.update(clocks.sample());
  }
  for (int i = 0; i < 1000; ++i) {
    clocks.advance(period_s);
    REQUIRE(std::llabs(error_of(timebase.line(), clocks)) < 1000);
    timebase.update(clocks.sample());
  }
}

TEST_CASE("while NTP slews at its limit of 500 ppm a stamp stays within the stated 50 us, and comes back",
          "[timebase]") {
  Clocks clocks;
  Timebase timebase(clocks.sample(), clocks.hz);
  std::int64_t worst = 0, settled = 0;
  for (int i = 0; i < 600; ++i) {
    clocks.utc_ppm = i < 300 ? 500 : 0;
    clocks.advance(period_s);
    const auto error = std::llabs(error_of(timebase.line(), clocks));
    worst = std::max<std::int64_t>(worst, error);
    if (i > 350) settled = std::max<std::int64_t>(settled, error);
    timebase.update(clocks.sample());
  }
  CHECK(worst <= 100'000);
  CHECK(settled < 1000);
}

TEST_CASE("lines meet where they change: no jump in either direction", "[timebase]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> noise(-200, 200);
  Clocks clocks;
  Timebase timebase(clocks.sample(), clocks.hz);
  for (int i = 0; i < 2000; ++i) {
    clocks.advance(period_s);
    const auto sample = clocks.sample(noise(random));
    const auto before = timebase.line().to_utc(sample.ticks);
    const auto after = timebase.update(sample).to_utc(sample.ticks);
    REQUIRE(std::llabs(static_cast<std::int64_t>(after.ns - before.ns)) <= 1);
    REQUIRE(timebase.line().epoch == 0);
    REQUIRE(std::llabs(error_of(timebase.line(), clocks)) < 2000);
  }
}

TEST_CASE("an hour forward is followed at once, an hour back opens a new epoch", "[timebase]") {
  Clocks clocks;
  Timebase timebase(clocks.sample(), clocks.hz);
  clocks.advance(period_s);
  clocks.utc_ns += 3.6e12;
  timebase.update(clocks.sample());
  CHECK(std::llabs(error_of(timebase.line(), clocks)) < 10);
  CHECK(timebase.line().epoch == 0);
  clocks.advance(period_s);
  clocks.utc_ns -= 3.6e12;
  timebase.update(clocks.sample());
  CHECK(std::llabs(error_of(timebase.line(), clocks)) < 10);
  CHECK(timebase.line().epoch == 1);
}

TEST_CASE("an error of 50 ms is steered out without time running backwards", "[timebase]") {
  Clocks clocks;
  Timebase timebase(clocks.sample(), clocks.hz);
  clocks.advance(period_s);
  clocks.utc_ns -= 5e7;
  Timestamp last = timebase.line().to_utc(clocks.sample().ticks);
  for (int i = 0; i < 100; ++i) {
    timebase.update(clocks.sample());
    clocks.advance(period_s);
    const auto now = timebase.line().to_utc(clocks.sample().ticks);
    REQUIRE(now > last);
    last = now;
  }
  CHECK(std::llabs(error_of(timebase.line(), clocks)) < 1000);
}

TEST_CASE("a counter that was set back begins a line of its own, and UTC goes on", "[timebase]") {
  Clocks clocks;
  const auto old = clocks.sample();
  clocks.advance(1);
  const auto now = clocks.sample();
  Timebase timebase(now, clocks.hz);
  const auto before = timebase.line();
  const auto after = timebase.update({old.ticks, now.utc});
  CHECK(after.to_utc(old.ticks).ns == now.utc.ns);
  CHECK(after.ns_per_tick_q32 == before.ns_per_tick_q32);
  CHECK(after.epoch == before.epoch);
}

TEST_CASE("a reader of the shared clock never sees half a line", "[timebase]") {
  SharedClock shared;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t i = 1; !stop; ++i) shared.publish({{i}, {i}, i, static_cast<std::uint32_t>(i)});
  });
  ClockLine line;
  std::uint32_t version = 0;
  bool whole = true;
  for (int i = 0; i < 200'000; ++i) {
    shared.refresh(line, version);
    whole &= line.origin.count == line.utc_at_origin.ns && line.origin.count == line.ns_per_tick_q32;
  }
  stop = true;
  writer.join();
  CHECK(whole);
}
