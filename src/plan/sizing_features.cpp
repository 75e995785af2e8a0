// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <array>

#include "plan/feature_costs.hpp"
#include "plan/sizing.hpp"

namespace wirespool::plan {
namespace {

constexpr double short_frame = 64;

// How long an instruction is taken to last: as those of the writer lcore do with frames of 64 bytes, of which it copies
// little. Rather too long: the flow index of 64 conversations took 7 ns, measured, where this says 16.
double ns_an_instruction(const StageRates& rates) {
  const TrafficMix frames{.name = "64", .parts = {{64, 1}}};
  return 1e3 / mpps_of(rates.build, frames) / of_frames(writer_instructions(), short_frame);
}

Feature feature_of(const FeatureCost& cost, const Demand& demand, double ns_each) {
  const double bytes = mean_bytes(demand.mix);
  Feature feature{
      .option = std::string(cost.option), .on_rx = cost.on_rx, .instructions = of_frames(cost.instructions, bytes)};
  if (cost.ns) {
    feature.ns = of_frames(*cost.ns, bytes);
    feature.origin = Origin::measured;
    feature.source = cost.measured;
  } else {
    feature.ns = feature.instructions * ns_each;
    feature.origin = Origin::computed;
    feature.source = fmt::format("{:.1f} instructions ({}), {:.3f} ns each, as the writer lcore's with 64 B",
                                 feature.instructions, counted_in, ns_each);
  }
  return feature;
}

}  // namespace

std::vector<Feature> features_of(const Demand& demand, const StageRates& rates) {
  const auto& table = feature_table();
  const bool ng = demand.format == FileFormat::pcapng, blocks = demand.handoff == HandoffKind::blocks;
  const std::array<std::pair<bool, const FeatureCost*>, 8> all{{{demand.filter, &table.filter},
                                                                {demand.slice, &table.slice},
                                                                {demand.flows, &table.flows},
                                                                {ng && !blocks, &table.pcapng_rx},
                                                                {ng && !blocks, &table.pcapng_writer},
                                                                {ng && blocks, &table.pcapng_blocks},
                                                                {demand.index == IndexLevel::flow, &table.flow_index},
                                                                {demand.checksum, &table.checksum}}};
  const double ns_each = ns_an_instruction(rates);
  std::vector<Feature> features;
  for (const auto& [on, cost] : all)
    if (on) features.push_back(feature_of(*cost, demand, ns_each));
  return features;
}

double ns_of(const std::vector<Feature>& features, bool on_rx) {
  double ns = 0;
  for (const auto& feature : features)
    if (feature.on_rx == on_rx) ns += feature.ns;
  return ns;
}

}  // namespace wirespool::plan
