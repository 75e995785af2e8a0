// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dpdk/net_interface.hpp"
#include "format/ledger_line.hpp"
#include "plan/drivers.hpp"
#include "stats/loss_sums.hpp"

namespace wirespool::dpdk {

// What a device lost since it was first started, added up from its counters over failed readings and resets. Control
// thread.
class PortLosses {
 public:
  PortLosses(std::uint16_t port, const std::string& driver, PacketSockets sockets)
      : port_(port), facts_(plan::facts_of(driver)), driver_(driver), sockets_(std::move(sockets)) {}

  void begin();  // the device was started, for the first time or again
  void read();   // it is started
  // The device was stopped: what it still reports is taken; if it reports nothing, that is no failure.
  void read_last();

  unsigned failures() const { return sums_.failures(); }  // readings that failed in a row
  void tell(format::PortLine& line) const;

 private:
  struct Drop {
    std::uint64_t xstat;  // its id
    stats::LossSum sum;
  };

  std::optional<stats::LossReading> read_counters();
  std::uint64_t take_elapsed_ns();
  void begin_drops();
  void read_drops(std::uint64_t elapsed_ns);
  void read_remarks();

  std::uint16_t port_;
  const plan::DriverFacts& facts_;
  std::string driver_;
  PacketSockets sockets_;
  stats::LossSums sums_;
  std::vector<Drop> drops_;
  std::vector<std::pair<std::string, std::uint64_t>> remarks_;  // xstats that sound like losses and are not 0
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace wirespool::dpdk
