// SPDX-License-Identifier: BSD-3-Clause
#include "stats/histogram.hpp"

#include <cmath>
#include <numeric>

namespace wirespool::stats {

std::uint64_t quantile(const std::array<std::uint64_t, Histogram::buckets>& counts, double fraction) noexcept {
  const auto total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (total == 0) return 0;
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(total))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen >= wanted) return Histogram::upper_bound(i);
  }
  return Histogram::upper_bound(counts.size() - 1);
}

}  // namespace wirespool::stats
