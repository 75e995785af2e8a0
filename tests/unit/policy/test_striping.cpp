// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include "policy/placement.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::policy;

TEST_CASE("the least loaded drive is picked", "[striping]") {
  CHECK(pick_drive(std::array<std::uint32_t, 3>{4, 2, 3}, 0) == 1);
}

TEST_CASE("idle drives take turns", "[striping]") {
  const std::array<std::uint32_t, 3> idle{0, 0, 0};
  CHECK(pick_drive(idle, 0) == 1);
  CHECK(pick_drive(idle, 1) == 2);
  CHECK(pick_drive(idle, 2) == 0);
}

TEST_CASE("a drive that takes no more Blocks is passed over", "[striping]") {
  CHECK(pick_drive(std::array<std::uint32_t, 2>{unusable, 9}, 1) == 1);
  CHECK(pick_drive(std::array<std::uint32_t, 2>{unusable, unusable}, 0) == no_drive);
}

TEST_CASE("a file ends before the Block that would exceed its size", "[rotation]") {
  const Rotation rotation{.size_bytes = 3000, .age_ns = 10};
  CHECK_FALSE(rotation.full(2000, 1000));
  CHECK(rotation.full(2001, 1000));
}

TEST_CASE("a file ends at its age, and a clock set back does not end it", "[rotation]") {
  const Rotation rotation{.size_bytes = 3000, .age_ns = 10};
  CHECK_FALSE(rotation.old({100}, {109}));
  CHECK(rotation.old({100}, {110}));
  CHECK_FALSE(rotation.old({100}, {50}));
}
