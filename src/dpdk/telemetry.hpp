// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "format/ledger_line.hpp"

namespace wirespool::dpdk {

// What a capture answers on EAL's telemetry socket (dpdk-telemetry.py; rte_telemetry.h), unless EAL was started with
// --no-telemetry:
//   /wirespool/ledger   the newest ledger line's totals, and losses by cause, without those that nothing counts
//   /wirespool/drives   its drives, by their number; /wirespool/drives,0 one of them
//   /wirespool/plan     what the capture was given, by name
// DPDK's thread answers from a copy, so it waits for nobody. One at a time; made after EAL was started.
class Telemetry {
 public:
  using Texts = std::vector<std::pair<std::string, std::string>>;

  explicit Telemetry(Texts plan);  // names of letters, digits and _ only
  ~Telemetry();  // commands cannot be taken back (rte_telemetry.h): they answer that there is no capture
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  void publish(const format::LedgerLine& line);  // control thread
};

}  // namespace wirespool::dpdk
