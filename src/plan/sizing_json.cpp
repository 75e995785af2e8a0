// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "plan/sizing.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <typename Number>
Json or_null(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json limits_json(const std::vector<Limit>& limits) {
  Json array = Json::array();
  for (const auto& limit : limits)
    array.push_back({{"of", limit.of},
                     {"mpps", or_null(limit.mpps)},
                     {"origin", limit.mpps ? Json(word(limit.origin)) : Json(nullptr)},
                     {"source", limit.source},
                     {"date", text_or_null(limit.date)}});
  return array;
}

Json features_json(const std::vector<Feature>& features) {
  Json array = Json::array();
  for (const auto& feature : features)
    array.push_back({{"option", feature.option},
                     {"lcore", feature.on_rx ? "rx" : "writer"},
                     {"instructions", feature.instructions},
                     {"ns", feature.ns},
                     {"origin", word(feature.origin)},
                     {"source", feature.source}});
  return array;
}

Json cpu_of(const Demand& demand, const CpuTime& cpu) {
  return {{"idle", word(demand.idle)},
          {"idle_rx_percent", or_null(cpu.idle_rx_percent)},
          {"idle_writer_percent", or_null(cpu.idle_writer_percent)},
          {"busy_percent", or_null(cpu.busy_percent)},
          {"ring_ns", cpu.ring_ns},
          {"longest_rx_sleep_ns", cpu.rx_sleep_ns},
          {"longest_writer_sleep_ns", cpu.writer_sleep_ns},
          {"source", demand.idle == Idle::poll ? "lcores that poll use all of their CPUs" : idle_measured}};
}

Json nic_of(const Demand& demand) {
  if (!demand.nic) return nullptr;
  return {{"name", demand.nic->name}, {"title", demand.nic->title}, {"cards", demand.cards}};
}

Json regime_of(const StageRates& rates) {
  if (rates.regime == Regime::not_known) return nullptr;
  return rates.regime == Regime::cached ? "cached" : "memory";
}

}  // namespace

std::string to_json(const Demand& demand, const StageRates& rates, const Sizing& sizing) {
  const auto& plan = sizing.plan;
  const Json json = {{"rate_bits", demand.bits_per_s},
                     {"mix", demand.mix.name},
                     {"mean_frame_bytes", mean_bytes(demand.mix)},
                     {"handoff", word(demand.handoff)},
                     {"load_percent", demand.load_percent},
                     {"mpps", sizing.mpps},
                     {"stored_bytes_per_s", sizing.stored_bytes_per_s},
                     {"rx_lcore_mpps", sizing.rx_mpps},
                     {"writer_lcore_mpps", sizing.writer_mpps > 0 ? Json(sizing.writer_mpps) : Json(nullptr)},
                     {"lcores", plan_lcores(plan)},
                     {"rx_lcores", plan.rx_lcores.size()},
                     {"writer_lcores", plan.writers.size()},
                     {"ports", plan.ports.size()},
                     {"rx_queues", plan.config.rx_queues},
                     {"drives", plan.drives.size()},
                     {"spare_drives", demand.spare_drives},
                     {"blocks", plan.blocks},
                     {"block_bytes", plan.block_bytes},
                     {"mbuf_bytes", plan.mbuf_bytes},
                     {"handoff_bytes", plan.handoff_bytes},
                     {"blocks_bytes", plan.blocks_bytes},
                     {"hugepage_bytes", plan.hugepage_bytes()},
                     {"command", command_of(demand, plan)},
                     {"measured_on", rates.measured_on},
                     {"regime", regime_of(rates)},
                     {"received_mpps", sizing.received_mpps},
                     {"limited_by", sizing.limited_by.empty() ? Json(nullptr) : Json(sizing.limited_by)},
                     {"rx_queue_limited_by", least_of(sizing.limits.queue)->of},
                     {"memory_bytes_per_s", sizing.memory_bytes_per_s},
                     {"rx_lcore_mpps_with_features", sizing.rx_with_features_mpps},
                     {"writer_lcore_mpps_with_features", sizing.writer_with_features_mpps},
                     {"features", features_json(sizing.features)},
                     {"cpu", cpu_of(demand, sizing.cpu)},
                     {"rx_desc", plan.ports.front().rx_desc},
                     {"flow_bytes", plan.flow_bytes},
                     {"nic", nic_of(demand)},
                     {"machine_limits", limits_json(sizing.limits.machine)},
                     {"queue_limits", limits_json(sizing.limits.queue)}};
  return json.dump(2) + "\n";
}

}  // namespace wirespool::plan
