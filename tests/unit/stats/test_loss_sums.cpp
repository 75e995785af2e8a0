// SPDX-License-Identifier: BSD-3-Clause
#include "stats/loss_sums.hpp"
#include "support/catch.hpp"

using namespace wirespool::stats;

namespace {

constexpr std::uint64_t second = 1'000'000'000, ten_gigabit = 10'000;

LossSums begun_at(std::uint64_t missed) {
  LossSums sums;
  sums.begin(LossReading{missed, 0, 0});
  return sums;
}

std::uint64_t missed_after(LossSums& sums, std::optional<std::uint64_t> reading) {
  sums.add(reading ? std::optional(LossReading{*reading, 0, 0}) : std::nullopt, second, ten_gigabit);
  return sums.sums().nic_missed;
}

}  // namespace

TEST_CASE("what a device lost before the capture is not the capture's") {
  auto sums = begun_at(1'000);
  CHECK(missed_after(sums, 1'000) == 0);
  CHECK(missed_after(sums, 1'007) == 7);
}

TEST_CASE("a reading that fails takes nothing back, and is told until one succeeds") {
  auto sums = begun_at(0);
  CHECK(missed_after(sums, 100) == 100);
  CHECK_FALSE(sums.failed());
  CHECK(missed_after(sums, std::nullopt) == 100);
  CHECK(missed_after(sums, std::nullopt) == 100);
  CHECK(sums.failures() == 2);
  CHECK(missed_after(sums, 250) == 250);
  CHECK_FALSE(sums.failed());
}

TEST_CASE("a device that begins to count again goes on where it was") {
  auto sums = begun_at(0);
  CHECK(missed_after(sums, 250) == 250);
  CHECK(missed_after(sums, 40) == 290);
}

TEST_CASE("a counter of 32 bits that is full goes on where it was") {
  auto sums = begun_at(0xffff'fff0);
  CHECK(missed_after(sums, 0xffff'fffa) == 10);
  CHECK(missed_after(sums, 4) == 20);
}

TEST_CASE("a leap that the link cannot have brought is refused, and what comes after it counts") {
  auto sums = begun_at(0);
  CHECK(missed_after(sums, 100) == 100);
  CHECK(missed_after(sums, (std::uint64_t{1} << 32) + 105) == 100);
  CHECK(missed_after(sums, (std::uint64_t{1} << 32) + 108) == 103);
}

TEST_CASE("a second of a full link is believed") {
  auto sums = begun_at(0);
  CHECK(missed_after(sums, 14'880'952) == 14'880'952);
}

TEST_CASE("the first reading that succeeds is where counting begins") {
  LossSums sums;
  sums.begin(std::nullopt);
  CHECK(sums.failed());
  CHECK(missed_after(sums, 5'000) == 0);
  CHECK(missed_after(sums, 5'001) == 1);
}
