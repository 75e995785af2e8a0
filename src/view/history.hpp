// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "format/ledger_line.hpp"

namespace wirespool::view {

// What the totals of a capture were in its last minute, by its ledger lines. One thread.
class History {
 public:
  static constexpr unsigned seconds = 60;

  // The newest line. One of an earlier moment than the last is of another capture: all before it is forgotten.
  void add(const format::LedgerLine& line);

  const format::LedgerLine& now() const { return now_; }
  const format::LedgerLine& before() const { return before_; }  // the line before; an empty one if there was none

  // A total's rate per second, in each of the last `seconds`, oldest first; fewer of a younger capture. Between two
  // lines a total is taken to have grown evenly.
  std::vector<double> rates(std::uint64_t format::Totals::*total) const;

 private:
  struct Point {
    std::uint64_t elapsed_ns = 0;
    format::Totals totals;
  };
  double total_at(std::uint64_t elapsed_ns, std::uint64_t format::Totals::*total) const;

  std::deque<Point> points_;
  format::LedgerLine now_, before_;
};

// How much a counter grew per second between two lines; 0 if no time passed.
double rate_of(std::uint64_t now, std::uint64_t before, const format::LedgerLine& now_line,
               const format::LedgerLine& before_line);

}  // namespace wirespool::view
