// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"
#include "plan/stage_rates.hpp"
#include "plan/traffic_mix.hpp"

namespace wirespool::plan {

// What a capture is wanted for: `wirespool plan`.
struct Demand {
  std::uint64_t bits_per_s = 0;  // of all ports together, as links are named: with preamble and gap
  TrafficMix mix;
  unsigned ports = 1;
  HandoffKind handoff = HandoffKind::packets;
  std::uint32_t snaplen = 262144;
  std::uint64_t drive_bytes_per_s = 2'000'000'000;  // what one drive takes for hours
  std::uint64_t stall_ns = 250'000'000;             // the longest that all drives may pause without loss
  unsigned load_percent = 80;                       // of the measured rates that is planned with
  unsigned spare_drives = 1;
};

// What it takes. The plan is the one that `wirespool capture` would make on such a machine.
struct Sizing {
  double mpps = 0;                // offered
  double stored_bytes_per_s = 0;  // with record headers
  double rx_mpps = 0;             // of one RX lcore, fully used
  double writer_mpps = 0;         // of one writer lcore; 0: writer lcores only write (--handoff blocks)
  CapturePlan plan;
};

std::expected<Sizing, std::vector<Error>> size_capture(const Demand& demand, const StageRates& rates);

// For people, and for programs.
std::string describe(const Demand& demand, const StageRates& rates, const Sizing& sizing);
std::string to_json(const Demand& demand, const StageRates& rates, const Sizing& sizing);

}  // namespace wirespool::plan
