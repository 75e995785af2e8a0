// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "stats/counter.hpp"

namespace wirespool::traffic {

// Durations in nanoseconds, as fine as what this room measures: 256 buckets per power of two, so that a percentile is
// right within 0.4 % (40 ns at 10 us), where stats::Histogram needs an eighth. Least, greatest and sum are exact. 120
// KB, of which a run touches little. One writer, any reader.
class Delays {
 public:
  static constexpr unsigned sub_bits = 8;
  static constexpr std::size_t buckets = (64 - sub_bits + 1) << sub_bits;

  void add(std::uint64_t ns) noexcept {
    ++counts_[bucket_of(ns)];
    sum_.add(ns);
    if (ns > max_.get()) max_.set(ns);
    if (ns < ~below_.get()) below_.set(~ns);
  }

  std::uint64_t min() const noexcept { return ~below_.get(); }  // UINT64_MAX: of nothing
  std::uint64_t max() const noexcept { return max_.get(); }
  std::uint64_t sum() const noexcept { return sum_.get(); }
  std::uint64_t count_of(std::size_t bucket) const noexcept { return counts_[bucket].get(); }

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
  std::array<stats::Counter, buckets> counts_;
  stats::Counter max_, sum_, below_;  // ~min, so that 0 is of nothing
};

}  // namespace wirespool::traffic
