// SPDX-License-Identifier: BSD-3-Clause
#include "stats/clock_bounds.hpp"

#include <optional>
#include <random>
#include <vector>

#include "stats/ledger.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::stats;
using format::ClockBound;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

Timestamp at(std::uint64_t seconds) { return Timestamp{1'700'000'000 * second + seconds * second}; }
ClockBound bound(std::optional<std::uint64_t> error_ns, const char* discipline = "kernel") {
  return {.source = "tsc", .discipline = discipline, .error_ns = error_ns};
}

}  // namespace

TEST_CASE("of nothing nothing is known, and that is not 0") {
  const ClockBounds bounds;
  CHECK(bounds.since(at(0), at(1), at(1)) == ClockBound{});
}

TEST_CASE("a file gets the widest bound since its first packet, and none from before") {
  ClockBounds bounds;
  bounds.add(at(1), bound(900));
  bounds.add(at(2), bound(500));
  bounds.add(at(3), bound(700));
  bounds.add(at(4), bound(100));
  CHECK(bounds.since(at(0), at(4), at(4)).error_ns == 900);
  CHECK(bounds.since(at(2), at(4), at(4)).error_ns == 700);
  CHECK(bounds.since(Timestamp{at(3).ns + 1}, at(4), at(4)).error_ns == 100);
  CHECK(bounds.since(at(5), at(5), at(5)).error_ns == 100);
}

TEST_CASE("a time in which nothing was known makes the bound of its files unknown") {
  ClockBounds bounds;
  bounds.add(at(1), bound(5));
  bounds.add(at(2), bound(std::nullopt, "none"));
  bounds.add(at(3), bound(5));
  CHECK(bounds.since(at(1), at(3), at(3)) == bound(std::nullopt, ""));
  CHECK(bounds.since(Timestamp{at(2).ns + 1}, at(3), at(3)) == bound(5));
}

TEST_CASE("after UTC was set back, what was found before it concerns the files from before") {
  ClockBounds bounds;
  bounds.add(at(100), bound(10));
  bounds.add(at(110), bound(40));
  bounds.add(at(50), bound(60 * second));  // the correction
  bounds.add(at(51), bound(20));
  CHECK(bounds.since(Timestamp{at(50).ns + 1}, at(51), at(51)).error_ns == 20);
  CHECK(bounds.since(at(105), at(110), at(51)).error_ns == 60 * second);
}

TEST_CASE("however many there are, a bound is never narrower than the widest, and exact for what is new") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  ClockBounds bounds;
  std::vector<ClockBound> all;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    all.push_back(bound(4'000'000 - 1'000 * i + random() % 100'000));  // ever better: the worst case
    bounds.add(at(i), all.back());
  }
  for (std::uint64_t from = 0; from < 4000; from += 37) {
    auto widest = all[from];
    for (auto i = from + 1; i < 4000; ++i) widest = wider(widest, all[i]);
    const auto told = bounds.since(at(from), at(3999), at(3999));
    REQUIRE(told.error_ns >= widest.error_ns);
    if (from >= 3800) REQUIRE(told == widest);
  }
}
