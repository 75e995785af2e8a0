// SPDX-License-Identifier: BSD-3-Clause
#include "stats/loss_sums.hpp"

#include <algorithm>

namespace wirespool::stats {
namespace {

constexpr std::uint64_t wrap = std::uint64_t{1} << 32;

}  // namespace

// Of 64 bytes and 20 of preamble and gap each.
std::uint64_t most_packets(std::uint64_t elapsed_ns, std::uint64_t mbit_per_s) {
  constexpr std::uint64_t bits_per_frame = 84 * 8, fastest = 800'000;
  constexpr std::uint64_t in_flight = 1u << 20;  // were in the device before, or are counted late
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

// Since the last reading. One that is less was either made by 32 bits that were full, or by a device that began again.
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
  no_mbuf_.add(reading->no_mbuf, UINT64_MAX);  // refills that failed: as many as there were polls
}

}  // namespace wirespool::stats
