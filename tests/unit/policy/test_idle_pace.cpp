// SPDX-License-Identifier: BSD-3-Clause
#include <random>

#include "policy/idle_pace.hpp"
#include "support/catch.hpp"

using namespace wirespool::policy;

namespace {

constexpr std::uint64_t us = 1'000, ms = 1'000'000;
constexpr IdleLimits ring_of_200_us{.longest = 100 * us,
                                    .least = 10 * us,
                                    .quiet = 2 * us,
                                    .plenty = 500,
                                    .loaded_rest = 10 * ms,
                                    .late_rest = 100 * ms};

// A thread that looks once a round, on a clock of our own, and is woken up late.
struct Looker {
  explicit Looker(const IdleLimits& limits) : pace(limits) {}

  // One round: whether it slept behind it.
  bool round(std::uint64_t packets = 0) {
    now += round_ns;
    found += packets;
    if (packets) return false;  // only rounds that find nothing are told
    asked = pace.sleep_at(now, found);
    if (asked == 0) return false;
    took = asked + late_ns;
    now += took;
    overslept += pace.slept(asked, took);
    return true;
  }

  bool sleeps_within(std::uint64_t span_ns) {
    for (const auto end = now + span_ns; now < end;)
      if (round()) return true;
    return false;
  }

  IdlePace pace;
  std::uint64_t now = 1'000 * ms, found = 0, round_ns = 50, late_ns = 0;
  std::uint64_t asked = 0, took = 0;
  unsigned overslept = 0;
};

}  // namespace

TEST_CASE("descriptors last as long as frames of 64 bytes take at line rate") {
  CHECK(filled_after_ns(1024, 10'000) == 68'812);
  CHECK(filled_after_ns(4096, 10'000) == 275'251);
  CHECK(filled_after_ns(4096, 100'000) == 27'525);
  CHECK(filled_with_bytes_after_ns(8 << 20, 128'000) == 524'288);
}

TEST_CASE("a sleep takes half of what fills up, and is not worth it when that is short") {
  CHECK(idle_sleep_ns(68'812) == 34'406);
  CHECK(idle_sleep_ns(2 * least_idle_sleep_ns) == least_idle_sleep_ns);
  CHECK(idle_sleep_ns(2 * least_idle_sleep_ns - 1) == 0);
  CHECK(idle_sleep_ns(UINT64_MAX) == longest_idle_sleep_ns);
}

TEST_CASE("one look without a packet is no idle link") {
  Looker looker(ring_of_200_us);
  looker.round(1);
  unsigned looks = 1;
  while (!looker.round()) ++looks;
  CHECK(looks * looker.round_ns >= ring_of_200_us.quiet);
  CHECK(looker.asked == ring_of_200_us.longest);
}

TEST_CASE("nobody sleeps while packets come, however few rounds find any") {
  Looker looker(ring_of_200_us);
  for (int i = 0; i < 100'000; ++i) CHECK_FALSE(looker.round(i % 30 == 0 ? 1 : 0));  // one in 1.5 us
}

TEST_CASE("who may not sleep never does") {
  Looker looker({});
  CHECK_FALSE(looker.sleeps_within(10 * ms));
}

TEST_CASE("much found after a sleep keeps an lcore awake for a while, and less does not") {
  Looker looker(ring_of_200_us);
  REQUIRE(looker.sleeps_within(ms));
  looker.round(ring_of_200_us.plenty - 1);
  CHECK(looker.sleeps_within(ms));
  looker.round(ring_of_200_us.plenty / 2);
  looker.round(ring_of_200_us.plenty / 2);
  CHECK_FALSE(looker.sleeps_within(ring_of_200_us.loaded_rest - 10 * us));
  CHECK(looker.sleeps_within(20 * us));
}

TEST_CASE("what is found by an lcore that was awake is no load that it slept through") {
  Looker looker(ring_of_200_us);
  REQUIRE(looker.sleeps_within(ms));
  looker.round(1);
  REQUIRE_FALSE(looker.round());
  looker.round(10 * ring_of_200_us.plenty);
  CHECK(looker.sleeps_within(ms));
}

TEST_CASE("a machine that wakes up late is asked for less, so that sleeps take no longer than they may") {
  Looker looker(ring_of_200_us);
  looker.late_ns = 60 * us;
  for (int i = 0; i < 100; ++i) REQUIRE(looker.sleeps_within(ms));
  CHECK(looker.took <= ring_of_200_us.longest + us);
  CHECK(looker.asked >= 39 * us);
  CHECK(looker.overslept == 0);
  looker.late_ns = 0;
  for (int i = 0; i < 100; ++i) REQUIRE(looker.sleeps_within(ms));
  CHECK(looker.asked >= 99 * us);
}

TEST_CASE("a machine that wakes up too late is polled on, and tried again now and then") {
  Looker looker(ring_of_200_us);
  looker.late_ns = 95 * us;
  std::uint64_t asleep = 0;
  unsigned sleeps = 0;
  const auto begin = looker.now;
  looker.round_ns = us;
  while (looker.now - begin < 10'000 * ms)
    if (looker.round()) {
      ++sleeps;
      asleep += looker.took;
      CHECK(looker.took < 2 * ring_of_200_us.longest);
    }
  CHECK(sleeps >= 50);  // there may be better times
  CHECK(asleep < 10'000 * ms / 30);
  CHECK(looker.overslept == 0);
}

TEST_CASE("a sleep that took twice as long as it may is told, and one such does not end all others") {
  Looker looker(ring_of_200_us);
  looker.late_ns = 5 * ms;
  REQUIRE(looker.sleeps_within(ms));
  CHECK(looker.overslept == 1);
  looker.late_ns = 0;
  CHECK(looker.sleeps_within(ms));
  CHECK(looker.asked >= ring_of_200_us.longest * 7 / 8);
  CHECK(looker.overslept == 1);
}

TEST_CASE("whatever comes and however late it wakes up, no sleep is asked for that is longer than it may be") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  Looker looker(ring_of_200_us);
  unsigned sleeps = 0;
  std::uint64_t last_found = 0;
  for (int i = 0; i < 200'000; ++i) {
    looker.round_ns = 20 + random() % 400;
    looker.late_ns = random() % 4 ? random() % (30 * us) : random() % (ms);
    const auto packets = random() % 64 ? 0 : random() % 1'000;
    const auto before = looker.now;
    if (looker.round(packets)) {
      ++sleeps;
      CHECK(looker.asked <= ring_of_200_us.longest);
      CHECK(looker.asked >= ring_of_200_us.least);
      CHECK(before + looker.round_ns - last_found >= ring_of_200_us.quiet);
    }
    if (packets) last_found = looker.now;
  }
  CHECK(sleeps > 100);
}
