// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "traffic/counters.hpp"
#include "traffic/delays.hpp"
#include "traffic/request.hpp"

namespace wirespool::traffic {

// Percentiles of a distribution in nanoseconds; right within 0.4 % (delays.hpp), min, max and mean exact.
struct Percentiles {
  std::uint64_t count = 0, min = 0, p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
  double mean = 0;
};

// What several threads noted, together.
class Distribution {
 public:
  void add(const Delays& delays);
  std::optional<Percentiles> percentiles() const;  // nullopt: of nothing

 private:
  std::uint64_t at(double fraction, std::uint64_t count) const;

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(Delays::buckets);
  std::uint64_t sum_ = 0, min_ = UINT64_MAX, max_ = 0;
};

// All that a run counted up to a moment. nullopt: this application has no such thing, or it cannot be told.
struct Totals {
  // At the end of what sends: from its first burst's time to the end of its last one's; of what receives: from the
  // first packet to the last. Before that: since the start.
  std::uint64_t elapsed_ns = 0;
  std::optional<std::uint64_t> tried, sent, sent_bytes, dropped, unsendable, cut;
  std::optional<std::uint64_t> received, received_bytes, lost, duplicates, reordered, corrupt, foreign, missed;
  std::uint64_t warm_up = 0;
  std::optional<Percentiles> delay, lateness, gap_error;
  std::optional<double> cpu_share;  // of the thread that had the least, of one CPU
};

// What a report says beside Totals.
struct About {
  std::string application, at;  // "send", "veth0"
  std::string sizes;            // "64", "imix"; "" for what sends none of its own
  double mean_bytes = 0;
  std::optional<std::uint64_t> rate;
  unsigned burst = 1;
};

// Packets and bits a second between two moments of a run: of what it sends, or if it only receives of that.
struct Rates {
  double pps = 0, gbps = 0;
};
Rates rates_between(const Totals& before, const Totals& now);

// A JSON line, newline included. `rates`: of the interval, in the last line of the whole run.
std::string json_line(const About& about, const Totals& totals, const Rates& rates, bool final);

// The same for people: a line for an interval, a short page at the end.
std::string text_line(const Totals& totals, const Rates& rates);
std::string text_page(const About& about, const Totals& totals, const Rates& rates);

}  // namespace wirespool::traffic
