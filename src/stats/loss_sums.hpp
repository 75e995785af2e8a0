// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace wirespool::stats {

// A reading of a device's counters, which may have begun to count at any time.
struct LossReading {
  std::uint64_t nic_missed = 0, nic_errors = 0, no_mbuf = 0;
};

// The most frames that a link of this speed (0: unknown, taken for the fastest there is) can bring in this time.
std::uint64_t most_packets(std::uint64_t elapsed_ns, std::uint64_t mbit_per_s);

// One counter of a device, added up from its readings. Devices begin again at 0 (a VF that was reset) and count in 32
// bits; drivers that extend these add 2^32 too many when their device begins again.
class LossSum {
 public:
  // What was counted before a capture began is not its loss: sets the reading to count from.
  void begin(std::uint64_t reading) { last_ = reading; }

  // A later reading; at most `most` can have been added since the last one.
  void add(std::uint64_t reading, std::uint64_t most);

  std::uint64_t sum() const { return sum_; }
  std::uint64_t refused() const { return refused_; }  // leaps that cannot be true; not in the sum

 private:
  std::uint64_t growth(std::uint64_t reading, std::uint64_t most) const;

  std::uint64_t last_ = 0, sum_ = 0, refused_ = 0;
};

// The losses that a port reports since begin(). A failed reading changes no sum: what was lost stays lost. Control
// thread.
class LossSums {
 public:
  // The port was started, or started again after a reset. nullopt: it could not be read, and the next reading is the
  // base.
  void begin(std::optional<LossReading> reading);

  // A reading `elapsed_ns` after the last one, on a link of `mbit_per_s` (0: unknown).
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
