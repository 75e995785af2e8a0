// SPDX-License-Identifier: BSD-3-Clause
#include "policy/pressure.hpp"
#include "support/catch.hpp"

using wirespool::policy::Pressure;

TEST_CASE("pressure begins at its one level and ends at its other") {
  Pressure pressure;
  CHECK_FALSE(pressure.look(74));
  CHECK(pressure.look(75));
  CHECK(pressure.look(51));
  CHECK_FALSE(pressure.look(50));
  CHECK_FALSE(pressure.look(74));
  CHECK(pressure.look(100));
  CHECK_FALSE(pressure.look(0));
}

TEST_CASE("a level that goes up and down between the two changes nothing") {
  for (const bool pressed : {false, true}) {
    Pressure pressure;
    pressure.look(pressed ? 100 : 0);
    for (int i = 0; i < 100; ++i) CHECK(pressure.look(i % 2 ? 51 : 74) == pressed);
  }
}
