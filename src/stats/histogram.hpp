// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "stats/counter.hpp"

namespace wirespool::stats {

// Durations in nanoseconds, 8 buckets per power of two: a quantile is right within 12.5 %. One writer, any reader.
class Histogram {
 public:
  static constexpr unsigned sub_bits = 3;
  static constexpr std::size_t buckets = (64 - sub_bits + 1) << sub_bits;

  void add(std::uint64_t ns) noexcept {
    ++counts_[bucket_of(ns)];
    sum_.add(ns);
    if (ns > max_.get()) max_.set(ns);
  }

  std::uint64_t max() const noexcept { return max_.get(); }
  std::uint64_t sum() const noexcept { return sum_.get(); }

  // Adds this histogram's counts to `sum` (for several writers of one drive).
  void add_to(std::array<std::uint64_t, buckets>& sum) const noexcept {
    for (std::size_t i = 0; i < buckets; ++i) sum[i] += counts_[i].get();
  }

  static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < (1u << sub_bits)) return ns;
    const auto exponent = static_cast<unsigned>(std::bit_width(ns)) - 1 - sub_bits;
    return (std::size_t{exponent + 1} << sub_bits) + ((ns >> exponent) & ((1u << sub_bits) - 1));
  }

  // The largest value that falls into the bucket.
  static constexpr std::uint64_t upper_bound(std::size_t bucket) noexcept {
    if (bucket < (1u << sub_bits)) return bucket;
    const std::size_t exponent = (bucket >> sub_bits) - 1;
    const std::uint64_t lead = (1u << sub_bits) + (bucket & ((1u << sub_bits) - 1));
    return ((lead + 1) << exponent) - 1;
  }

 private:
  std::array<Counter, buckets> counts_;
  Counter max_, sum_;
};

// The smallest bucket bound that `fraction` of all values do not exceed; 0 if there are none.
std::uint64_t quantile(const std::array<std::uint64_t, Histogram::buckets>& counts, double fraction) noexcept;

}  // namespace wirespool::stats
