// SPDX-License-Identifier: BSD-3-Clause
#include "policy/retention.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace wirespool::policy {
namespace {

bool older(Timestamp last, Timestamp now, std::uint64_t age_ns) noexcept {
  return now.ns > last.ns && now.ns - last.ns > age_ns;
}

// Those that may go, oldest first; of the same time, in the order given.
std::vector<std::size_t> by_age(std::span<const KeptFile> files) {
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [files](std::size_t i) { return !files[i].may_go; });
  std::ranges::stable_sort(order, {}, [files](std::size_t i) { return files[i].last; });
  return order;
}

}  // namespace

std::uint64_t bytes_to_stay_free(const RetainLimits& limits, std::uint64_t total) noexcept {
  if (!limits.of_free()) return 0;
  const auto percent = limits.free->percent;
  return percent == 0 ? limits.free->bytes : total / 100 * percent + total % 100 * percent / 100;
}

std::vector<Going> what_goes(std::span<const KeptFile> files, const RetainLimits& limits, Timestamp now, Space space) {
  const auto order = by_age(files);
  std::map<unsigned, std::uint64_t> held;  // by drive
  for (const auto i : order) held[files[i].drive] += files[i].bytes;
  const auto wanted = bytes_to_stay_free(limits, space.total);
  auto missing = wanted - std::min(wanted, space.free);
  std::vector<Going> going;
  for (const auto i : order) {
    const auto& file = files[i];
    auto& of_drive = held[file.drive];
    if (limits.age_ns && older(file.last, now, *limits.age_ns))
      going.push_back({i, RetainReason::age});
    else if (limits.size_bytes && of_drive > *limits.size_bytes)
      going.push_back({i, RetainReason::size});
    else if (missing > 0)
      going.push_back({i, RetainReason::free});
    else
      continue;
    of_drive -= file.bytes;
    missing -= std::min(missing, file.bytes);
  }
  return going;
}

}  // namespace wirespool::policy
