// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <random>
#include <vector>

#include "stats/histogram.hpp"
#include "support/catch.hpp"

using namespace wirespool::stats;

TEST_CASE("every value lies in a bucket whose bound is at most an eighth above it", "[histogram]") {
  for (std::uint64_t value = 0; value < 100'000; ++value) {
    const auto bound = Histogram::upper_bound(Histogram::bucket_of(value));
    REQUIRE(bound >= value);
    REQUIRE(bound - value <= value / 8);
  }
  CHECK(Histogram::bucket_of(UINT64_MAX) < Histogram::buckets);
  CHECK(Histogram::upper_bound(Histogram::bucket_of(UINT64_MAX)) == UINT64_MAX);
}

TEST_CASE("quantiles agree with a sorted list", "[histogram]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  Histogram histogram;
  std::vector<std::uint64_t> values(10'001);
  for (auto& value : values) histogram.add(value = random() % 50'000'000);
  std::sort(values.begin(), values.end());
  std::array<std::uint64_t, Histogram::buckets> counts{};
  histogram.add_to(counts);
  for (const double fraction : {0.5, 0.99}) {
    const auto exact = values[static_cast<std::size_t>(fraction * 10'000)];
    const auto found = quantile(counts, fraction);
    CHECK(found >= exact);
    CHECK(found <= exact + exact / 8 + 1);
  }
  CHECK(histogram.max() == values.back());
}

TEST_CASE("an empty histogram has quantile 0", "[histogram]") { CHECK(quantile({}, 0.99) == 0); }
