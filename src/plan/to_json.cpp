// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "plan/capture_plan.hpp"
#include "plan/capture_table.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order written here

// As asked, by the options' names; null where nothing was asked.
Json to_json(const CaptureConfig& config) {
  const auto json_of = [](const auto& value) -> Json {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
      return nullptr;
    } else {
      return value;
    }
  };
  Json json;
  for (const auto& row : capture_table().rows()) json[row.json_key()] = std::visit(json_of, row.value(config));
  return json;
}

Json to_json(const PlannedPort& port) {
  return {{"port", port.id},
          {"name", port.name},
          {"driver", port.driver},
          {"numa_node", port.numa_node},
          {"rx_queues", port.rx_queues},
          {"tx_queues", port.tx_queues},
          {"rx_desc", port.rx_desc},
          {"mtu", port.mtu},
          {"data_room", port.data_room},
          {"cut_at", port.cut_at},
          {"scatter", port.scatter},
          {"hw_timestamp", port.hw_timestamp},
          {"promiscuous", port.promiscuous},
          {"rss_functions", port.rss_functions},
          {"symmetric_key", port.symmetric_key},
          {"mbufs", port.mbufs}};
}

Json to_json(const PlannedRxLcore& rx) {
  Json queues = Json::array();
  for (const auto& queue : rx.queues)
    queues.push_back({{"port", queue.port}, {"queue", queue.queue}, {"stream", queue.stream}});
  return {{"lcore", rx.lcore},
          {"numa_node", rx.numa_node},
          {"queues", std::move(queues)},
          {"longest_sleep_ns", rx.idle.longest_ns}};
}

Json to_json(const PlannedWriter& writer, const CapturePlan& plan) {
  Json drives = Json::array();
  for (const unsigned drive : writer.drives) drives.push_back(plan.drives[drive].path);
  return {{"lcore", writer.lcore},
          {"numa_node", writer.numa_node},
          {"writer", writer.writer},
          {"blocks", writer.blocks},
          {"longest_sleep_ns", writer.idle.longest_ns},
          {"drives", std::move(drives)}};
}

Json to_json(const PlannedDrive& drive) {
  return {{"path", drive.path},           {"real_path", drive.real_path},
          {"device", drive.device_name},  {"file_system", drive.file_system},
          {"numa_node", drive.numa_node}, {"block_bytes", drive.block_bytes},
          {"direct_io", drive.direct_io}};
}

Json filter_of(const CapturePlan& plan) {
  if (!plan.filter) return nullptr;
  return {{"engine", word(plan.filter->engine)}, {"why", plan.filter->why}};
}

Json memory_of(const CapturePlan& plan) {
  return {{"mbuf_bytes", plan.mbuf_bytes},     {"handoff_bytes", plan.handoff_bytes},
          {"blocks_bytes", plan.blocks_bytes}, {"hugepage_bytes", plan.hugepage_bytes()},
          {"flow_bytes", plan.flow_bytes},     {"index_bytes", plan.index_bytes},
          {"total_bytes", plan.total_bytes()}};
}

template <typename T, typename... More>
Json array_of(const std::vector<T>& items, const More&... more) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(to_json(item, more...));
  return array;
}

}  // namespace

std::string to_json(const CapturePlan& plan) {
  Json json = to_json(plan.config);
  // What was decided replaces what was asked.
  json["when_full"] = word(plan.when_full);
  json["filter_run_by"] = filter_of(plan);
  json["burst"] = plan.burst;
  json["handoff_size"] = plan.handoff_size;
  json["mempool_cache"] = plan.mempool_cache;
  json["blocks"] = plan.blocks;
  json["block_bytes"] = plan.block_bytes;
  json["carry_bytes"] = plan.carry_bytes;
  json["main_lcore"] = plan.main_lcore;
  json["ports"] = array_of(plan.ports);
  json["rx_lcores"] = array_of(plan.rx_lcores);
  json["writers"] = array_of(plan.writers, plan);
  json["drives"] = array_of(plan.drives);
  json["memory"] = memory_of(plan);
  json["notices"] = plan.notices;
  // A path may hold bytes that are not UTF-8, which JSON cannot hold: they are replaced instead of raising an
  // exception.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace wirespool::plan
