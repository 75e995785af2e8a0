// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "plan/capture_plan.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order written here

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// What was asked for and needed no deciding.
Json to_json(const CaptureConfig& config) {
  return {{"until", word(config.until)},
          {"snaplen", config.snaplen},
          {"name", config.name},
          {"rotate_size", config.rotate_size},
          {"rotate_age_ns", config.rotate_age_ns},
          {"flush_age_ns", config.flush_age_ns},
          {"sync_age_ns", config.sync_age_ns},
          {"io", word(config.io)},
          {"io_depth", config.io_depth},
          {"index", word(config.index)},
          {"timestamp", word(config.timestamp)},
          {"rss", word(config.rss)},
          {"on_port_failure", word(config.on_port_failure)},
          {"port_return_ns", config.port_return_ns},
          {"on_seal", config.on_seal},
          {"on_seal_timeout_ns", config.on_seal_timeout_ns},
          {"on_seal_linger_ns", config.on_seal_linger_ns},
          {"stop_timeout_ns", config.stop_timeout_ns},
          {"duration_ns", or_null(config.duration_ns)},
          {"packets", or_null(config.packets)},
          {"bytes", or_null(config.bytes)},
          {"idle_exit_ns", or_null(config.idle_exit_ns)},
          {"stats_interval_ns", config.stats_interval_ns},
          {"strict", config.strict}};
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
          {"scatter", port.scatter},
          {"hw_timestamp", port.hw_timestamp},
          {"promiscuous", port.promiscuous},
          {"rss_functions", port.rss_functions},
          {"symmetric_key", port.symmetric_key},
          {"cut_at", port.cut_at},
          {"mbufs", port.mbufs}};
}

Json to_json(const PlannedRxLcore& rx) {
  Json queues = Json::array();
  for (const auto& queue : rx.queues) queues.push_back({{"port", queue.port}, {"queue", queue.queue}});
  return {{"lcore", rx.lcore}, {"numa_node", rx.numa_node}, {"queues", std::move(queues)}};
}

Json to_json(const PlannedWriter& writer, const CapturePlan& plan) {
  Json drives = Json::array();
  for (const unsigned drive : writer.drives) drives.push_back(plan.drives[drive].path);
  return {{"lcore", writer.lcore},
          {"numa_node", writer.numa_node},
          {"writer", writer.writer},
          {"blocks", writer.blocks},
          {"drives", std::move(drives)}};
}

Json to_json(const PlannedDrive& drive) {
  return {{"path", drive.path},           {"real_path", drive.real_path},
          {"device", drive.device_name},  {"file_system", drive.file_system},
          {"numa_node", drive.numa_node}, {"block_bytes", drive.block_bytes},
          {"direct_io", drive.direct_io}};
}

Json memory_of(const CapturePlan& plan) {
  return {{"mbuf_bytes", plan.mbuf_bytes},     {"handoff_bytes", plan.handoff_bytes},
          {"blocks_bytes", plan.blocks_bytes}, {"hugepage_bytes", plan.hugepage_bytes()},
          {"index_bytes", plan.index_bytes},   {"total_bytes", plan.total_bytes()}};
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
  json["handoff"] = word(plan.config.handoff);
  json["when_full"] = word(plan.when_full);
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
  // A path may hold bytes that are not UTF-8, which JSON cannot: they are replaced rather than thrown about.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace wirespool::plan
