// SPDX-License-Identifier: BSD-3-Clause
#include "plan/feature_costs.hpp"

#include <algorithm>

namespace wirespool::plan {
namespace {

constexpr double short_bytes = 64, mixed_bytes = 780;

// A count is that with the option less that without, where the baseline has both.
constexpr FeatureTable table{
    .checksum = {.option = "--checksum on", .instructions = {11.69, 123.08}},
    .flow_index = {.option = "--index flow",
                   .instructions = {85.06, 137.07},
                   .ns = PerPacket{14, 30},
                   .measured = "README, 400 conversations in a Block, CPU time, an Intel Xeon"},
    .filter = {.option = "--filter", .on_rx = true, .instructions = {169.88 - 31.16, 169.81 - 31.17}},
    .slice = {.option = "--slice l4", .on_rx = true, .instructions = {227.57 - 42.56, 227.57 - 42.56}},
    .flows = {.option = "--flows",
              .on_rx = true,
              .instructions = {525.29 - 31.16, 525.37 - 31.17},
              .ns = PerPacket{44, 44},
              .measured = "bench/README, Flows, 100 k of them, frames of 64 bytes, an AMD EPYC"},
    .pcapng_rx = {.option = "--format pcapng", .on_rx = true, .instructions = {43.26 - 42.56, 43.27 - 42.56}},
    .pcapng_writer = {.option = "--format pcapng", .instructions = {69.15 - 59.41, 164.4 - 152.29}},
    .pcapng_blocks = {.option = "--format pcapng", .on_rx = true, .instructions = {86.67 - 73.62, 181.49 - 167.04}}};

}  // namespace

const FeatureTable& feature_table() { return table; }

PerPacket writer_instructions() { return {59.41, 152.29}; }

double of_frames(const PerPacket& cost, double mean_bytes) {
  const double slope = (cost.mixed_frames - cost.short_frames) / (mixed_bytes - short_bytes);
  return std::max(cost.short_frames + slope * (mean_bytes - short_bytes),
                  std::min(cost.short_frames, cost.mixed_frames));
}

}  // namespace wirespool::plan
