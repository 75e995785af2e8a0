// SPDX-License-Identifier: BSD-3-Clause
#include "view/history.hpp"

#include <algorithm>
#include <utility>

namespace wirespool::view {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

}  // namespace

void History::add(const format::LedgerLine& line) {
  if (!points_.empty() && line.elapsed_ns < points_.back().elapsed_ns) {
    points_.clear();
    now_ = {};
  }
  before_ = std::exchange(now_, line);
  points_.push_back({line.elapsed_ns, line.totals});
  // One that lies before the last minute is kept, to tell what it began with.
  const auto begin = line.elapsed_ns - std::min(line.elapsed_ns, seconds * second_ns);
  while (points_.size() > 1 && points_[1].elapsed_ns <= begin) points_.pop_front();
}

double History::total_at(std::uint64_t elapsed_ns, std::uint64_t format::Totals::*total) const {
  const auto next = std::ranges::lower_bound(points_, elapsed_ns, {}, &Point::elapsed_ns);
  if (next == points_.end()) return static_cast<double>(points_.back().totals.*total);
  const auto before = next == points_.begin() ? Point{} : *std::prev(next);
  const auto span = next->elapsed_ns - before.elapsed_ns;
  const auto grown = static_cast<double>(next->totals.*total) - static_cast<double>(before.totals.*total);
  const auto share = span > 0 ? static_cast<double>(elapsed_ns - before.elapsed_ns) / static_cast<double>(span) : 1.0;
  return static_cast<double>(before.totals.*total) + grown * share;
}

std::vector<double> History::rates(std::uint64_t format::Totals::*total) const {
  std::vector<double> rates;
  if (points_.empty()) return rates;
  const auto end = points_.back().elapsed_ns;
  const auto known = points_.size() > 1 ? end - points_.front().elapsed_ns : end;
  const auto count = std::min<std::uint64_t>(seconds, known / second_ns);
  for (auto back = count; back > 0; --back)
    rates.push_back(
        std::max(0.0, total_at(end - (back - 1) * second_ns, total) - total_at(end - back * second_ns, total)));
  return rates;
}

double rate_of(std::uint64_t now, std::uint64_t before, const format::LedgerLine& now_line,
               const format::LedgerLine& before_line) {
  if (now_line.elapsed_ns <= before_line.elapsed_ns || now <= before) return 0;
  return static_cast<double>(now - before) * static_cast<double>(second_ns) /
         static_cast<double>(now_line.elapsed_ns - before_line.elapsed_ns);
}

}  // namespace wirespool::view
