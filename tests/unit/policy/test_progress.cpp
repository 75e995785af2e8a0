// SPDX-License-Identifier: BSD-3-Clause
#include "policy/progress.hpp"
#include "support/catch.hpp"

using wirespool::policy::Progress;

TEST_CASE("lcores that turn make progress, one that stands still stops it") {
  Progress progress;
  CHECK(progress.made({{1}, {1}}));
  CHECK(progress.made({{2}, {5}}));
  CHECK_FALSE(progress.made({{3}, {5}}));
  CHECK(progress.made({{4}, {6}}));
}

TEST_CASE("an lcore that has ended, or waits on purpose, is excused") {
  Progress progress;
  CHECK(progress.made({{1}, {1}}));
  CHECK(progress.made({{1, true}, {2}}));
  CHECK_FALSE(progress.made({{1, true}, {2}}));
}
