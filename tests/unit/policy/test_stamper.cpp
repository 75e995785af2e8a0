// SPDX-License-Identifier: BSD-3-Clause
#include <random>

#include "policy/stamper.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::policy;

TEST_CASE("the last packet of a Burst has the time of the poll that returned it", "[stamper]") {
  Stamper stamper;
  stamper.polled({1'000'000}, 0);
  const auto run = stamper.polled({1'000'400}, 4);
  CHECK(run.first_ns == 1'000'100);
  CHECK(run.first_ns + 3 * run.step_ns == 1'000'400);
}

TEST_CASE("the very first Burst is not spread back to the epoch", "[stamper]") {
  Stamper stamper;
  const auto run = stamper.polled({1'000'000}, 10);
  CHECK(run.first_ns == 999'991);
  CHECK(run.step_ns == 1);
}

TEST_CASE("stamps strictly increase, even when the clock stands still or goes back a little", "[stamper]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  Stamper stamper;
  std::uint64_t now = 1'700'000'000'000'000'000, last = 0;
  for (int poll = 0; poll < 100'000; ++poll) {
    now += random() % 300;
    const std::uint64_t seen = now - random() % 100;
    const auto packets = static_cast<std::uint32_t>(random() % 65);
    const auto run = stamper.polled({seen}, packets);
    if (packets == 0) continue;
    REQUIRE(run.first_ns > last);
    REQUIRE(run.step_ns >= 1);
    last = run.first_ns + run.step_ns * (packets - 1);
    REQUIRE(last >= seen);
  }
}

TEST_CASE("after a restart stamps may begin earlier", "[stamper]") {
  Stamper stamper;
  stamper.polled({5'000'000}, 1);
  stamper.restart();
  CHECK(stamper.polled({1'000'000}, 1).first_ns == 1'000'000);
}
