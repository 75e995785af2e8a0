// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace wirespool::stats {

// What a device's counters say at one moment, since whenever it began to count.
struct LossReading {
  std::uint64_t nic_missed = 0, nic_errors = 0, no_mbuf = 0;
};

// The most frames a link of this speed (0: unknown, taken for the fastest there is) brings in this time.
std::uint64_t most_packets(std::uint64_t elapsed_ns, std::uint64_t mbit_per_s);

// One counter of a device, added up from its readings: devices begin again at 0 (a VF that was reset), count in 32
// bits, and drivers that extend those add 2^32 too many when their device began again.
class LossSum {
 public:
  // What was counted before a capture began is not its loss.
  void begin(std::uint64_t reading) { last_ = reading; }

  // A later reading; at most `most` can have been added since the last one.
  void add(std::uint64_t reading, std::uint64_t most);

  std::uint64_t sum() const { return sum_; }
  std::uint64_t refused() const { return refused_; }  // leaps that cannot be true: not in the sum

 private:
  std::uint64_t growth(std::uint64_t reading, std::uint64_t most) const;

  std::uint64_t last_ = 0, sum_ = 0, refused_ = 0;
};

// The losses a port tells of, since begin(). A reading that failed changes no sum: what was lost stays lost. Control
// thread.
class LossSums {
 public:
  // The port is started (again, after a reset): nullopt if it could not be read; the next reading begins then.
  void begin(std::optional<LossReading> reading);

  // After `elapsed_ns`, on a link of `mbit_per_s` (0: unknown).
  void add(std::optional<LossReading> reading, std::uint64_t elapsed_ns, std::uint64_t mbit_per_s);

  LossReading sums() const { return {nic_missed_.sum(), nic_errors_.sum(), no_mbuf_.sum()}; }
  bool failed() const { return failed_ > 0; }    // the last reading
  unsigned failures() const { return failed_; }  // in a row

 private:
  LossSum nic_missed_, nic_errors_, no_mbuf_;
  bool begun_ = false;
  unsigned failed_ = 0;
};

}  // namespace wirespool::stats
