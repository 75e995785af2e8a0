// SPDX-License-Identifier: BSD-3-Clause
#include "persona.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace wirespool::test {
namespace {

using Json = nlohmann::json;

// Takes a member out of the file's object, so that what is left is something nobody reads: a slip of the pen.
template <class Value>
void take(Json& object, const char* name, Value& value) {
  if (!object.contains(name)) return;
  value = object[name].get<Value>();
  object.erase(name);
}

void must_be_empty(const Json& object, const std::string& where) {
  if (!object.empty()) throw std::runtime_error(where + ": nobody reads " + object.begin().key());
}

Json take_object(Json& from, const char* name) {
  Json object = Json::object();
  take(from, name, object);
  return object;
}

Persona::Clock clock_of(const std::string& word) {
  if (word == "none") return Persona::Clock::none;
  if (word == "free") return Persona::Clock::free;
  if (word == "realtime") return Persona::Clock::realtime;
  if (word == "monotonic") return Persona::Clock::monotonic;
  if (word == "split") return Persona::Clock::split;
  throw std::runtime_error("no such clock: " + word);
}

Persona::Info info_of(Json json) {
  Persona::Info info;
  std::string functions = "0";
  take(json, "max_rx_queues", info.max_rx_queues);
  take(json, "ring_min", info.ring_min);
  take(json, "ring_max", info.ring_max);
  take(json, "ring_step", info.ring_step);
  take(json, "ring_recommended", info.ring_recommended);
  take(json, "rss_functions", functions);
  take(json, "key_bytes", info.key_bytes);
  take(json, "timestamps", info.timestamps);
  take(json, "scatter", info.scatter);
  take(json, "mtu", info.mtu);
  take(json, "min_mtu", info.min_mtu);
  take(json, "max_mtu", info.max_mtu);
  info.rss_functions = std::stoull(functions, nullptr, 0);
  must_be_empty(json, "info");
  return info;
}

Persona::Grants grants_of(Json json) {
  Persona::Grants grants;
  take(json, "rx_queues", grants.rx_queues);
  take(json, "power_of_two", grants.power_of_two);
  take(json, "refusal", grants.refusal);
  take(json, "stamps_refused", grants.stamps_refused);
  must_be_empty(json, "grants");
  return grants;
}

}  // namespace

Persona read_persona(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no persona " + path);
  auto json = Json::parse(file);
  json.erase("about");
  Persona persona;
  std::string read_clock = "none", stamps = "none";
  take(json, "driver", persona.driver);
  persona.info = info_of(take_object(json, "info"));
  persona.grants = grants_of(take_object(json, "grants"));
  take(json, "counts", persona.counts);
  take(json, "xstats", persona.xstats);
  if (json.contains("stats_when_stopped")) take(json, "stats_when_stopped", persona.stats_when_stopped.emplace());
  take(json, "stop_clears", persona.stop_clears);
  take(json, "read_clock", read_clock);
  take(json, "stamps", stamps);
  persona.read_clock = clock_of(read_clock);
  persona.stamps = clock_of(stamps);
  take(json, "rss_ignored", persona.rss_ignored);
  take(json, "key_ignored", persona.key_ignored);
  take(json, "mtu_ignored", persona.mtu_ignored);
  take(json, "burst_step", persona.burst_step);
  take(json, "promiscuous", persona.promiscuous);
  take(json, "allmulticast", persona.allmulticast);
  if (json.contains("pause")) take(json, "pause", persona.pause.emplace());
  take(json, "strips_vlan", persona.strips_vlan);
  take(json, "queue_lag_ns", persona.queue_lag_ns);
  must_be_empty(json, path);
  return persona;
}

}  // namespace wirespool::test
