// SPDX-License-Identifier: BSD-3-Clause
#include "stats/loss_sums.hpp"

#include <algorithm>

namespace wirespool::stats {
namespace {

constexpr std::uint64_t wrap = std::uint64_t{1} << 32;

}  // namespace

// Frames of 64 bytes, each with 20 of preamble and gap.
std::uint64_t most_packets(std::uint64_t elapsed_ns, std::uint64_t mbit_per_s) {
  constexpr std::uint64_t bits_per_frame = 84 * 8, fastest = 800'000;
  constexpr std::uint64_t in_flight = 1u << 20;  // already in the device before, or counted late
  const double frames = static_cast<double>(mbit_per_s ? mbit_per_s : fastest) * 1e6 / bits_per_frame;
  return static_cast<std::uint64_t>(frames * static_cast<double>(elapsed_ns) / 1e9) + in_flight;
}

void LossSum::add(std::uint64_t reading, std::uint64_t most) {
  const auto grown = growth(reading, most);
  last_ = reading;
  if (grown <= most)
    sum_ += grown;
  else
    ++refused_;
}

// The growth since the last reading. A smaller reading means that 32 bits wrapped or that the device began again.
std::uint64_t LossSum::growth(std::uint64_t reading, std::uint64_t most) const {
  if (reading >= last_) return reading - last_;
  const bool wrapped = last_ < wrap && reading + (wrap - last_) <= most;
  return wrapped ? reading + (wrap - last_) : reading;
}

void LossSums::begin(std::optional<LossReading> reading) {
  begun_ = reading.has_value();
  failed_ = begun_ ? 0 : failed_ + 1;
  if (!begun_) return;
  nic_missed_.begin(reading->nic_missed);
  nic_errors_.begin(reading->nic_errors);
  no_mbuf_.begin(reading->no_mbuf);
}

void LossSums::add(std::optional<LossReading> reading, std::uint64_t elapsed_ns, std::uint64_t mbit_per_s) {
  if (!begun_) return begin(reading);
  if (!reading) {
    ++failed_;
    return;
  }
  failed_ = 0;
  const auto most = most_packets(elapsed_ns, mbit_per_s);
  nic_missed_.add(reading->nic_missed, most);
  nic_errors_.add(reading->nic_errors, most);
  no_mbuf_.add(reading->no_mbuf, UINT64_MAX);  // failed refills: there can be as many as polls
}

}  // namespace wirespool::stats
