// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <random>
#include <vector>

#include "stats/histogram.hpp"
#include "stats/ledger.hpp"
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

TEST_CASE("counts by powers of two are those of a sorted list, exactly, and the sum is that of all values",
          "[histogram]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  using Durations = wirespool::format::WriteDurations;
  std::vector<std::uint64_t> values = {0, (1u << 14) - 1, 1u << 14, (1ull << 34) - 1, 1ull << 34, 1ull << 50};
  while (values.size() < 5'000) values.push_back(random() >> (20 + random() % 44));
  Histogram histogram;
  std::uint64_t sum = 0;
  for (const auto value : values) {
    histogram.add(value);
    sum += value;
  }
  std::array<std::uint64_t, Histogram::buckets> counts{};
  histogram.add_to(counts);
  const auto durations = write_durations(counts, sum);
  CHECK(histogram.sum() == sum);
  CHECK(durations.sum_ns == sum);
  REQUIRE(durations.counts.size() == Durations::last_bits - Durations::first_bits + 2);
  std::size_t below = 0;
  for (unsigned bits = Durations::first_bits; bits <= Durations::last_bits; ++bits) {
    below += durations.counts[bits - Durations::first_bits];
    CHECK(below ==
          static_cast<std::size_t>(std::ranges::count_if(values, [bits](auto value) { return value < 1ull << bits; })));
  }
  CHECK(below + durations.counts.back() == values.size());
  CHECK(write_durations({}, 0).counts.empty());
}
