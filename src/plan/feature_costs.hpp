// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace wirespool::plan {

// What an option of a capture costs one lcore for each packet: as counted, and in time where that was measured.
// feature_costs.cpp is the table; its counts are those of bench/instructions/baseline.json.
struct PerPacket {
  double short_frames = 0, mixed_frames = 0;  // of 64 bytes; of the CAIDA-like mix
};
struct FeatureCost {
  std::string_view option;  // "--index flow"
  bool on_rx = false;       // the RX lcore pays; false: the writer lcore
  PerPacket instructions = {};
  std::optional<PerPacket> ns = {};
  std::string_view measured = {};  // where the time was measured
};

// With --handoff packets; `pcapng_blocks` is what pcapng costs an RX lcore that builds Blocks.
struct FeatureTable {
  FeatureCost checksum, flow_index, filter, slice, flows, pcapng_rx, pcapng_writer, pcapng_blocks;
};
const FeatureTable& feature_table();

// A writer lcore's instructions for each packet with nothing on.
PerPacket writer_instructions();

// Of frames of so many bytes (with FCS) on average: on the line through both, and no less than for the shorter ones.
double of_frames(const PerPacket& cost, double mean_bytes);

constexpr std::string_view counted_in = "bench/instructions/baseline.json, g++ 12, DPDK 22.11";

}  // namespace wirespool::plan
