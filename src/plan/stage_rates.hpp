// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "plan/capture_config.hpp"
#include "plan/traffic_mix.hpp"

namespace wirespool::plan {

// What one lcore was measured to do with frames of one length.
struct RatePoint {
  double frame_bytes = 0;  // with FCS
  double mpps = 0;
};
using RateCurve = std::vector<RatePoint>;  // by length, ascending

// One lcore's rates at each of its jobs, with bench/run.sh: `wirespool capture --until STAGE` from net_pcap.
struct StageRates {
  std::string measured_on;  // processor, date
  RateCurve receive;        // RX lcore, --handoff packets: receive, stamp, hand over
  RateCurve build;          // writer lcore, --handoff packets: take over, copy into Blocks
  RateCurve receive_build;  // RX lcore, --handoff blocks: both
};

// From a quiet run of bench/run.sh on the machine that it names.
StageRates published_rates();

// From the results.json that bench/run.sh leaves: medians of each stage, of its traces of one length.
std::expected<StageRates, std::string> read_rates(std::string_view json);

// Mpps of one lcore with such a mix: the time of a packet of each length, straight lines between measured lengths and
// beyond the last, averaged by shares.
double mpps_of(const RateCurve& curve, const TrafficMix& mix);

}  // namespace wirespool::plan
