// SPDX-License-Identifier: BSD-3-Clause
// What happens to the device, and when: $WIRESPOOL_NIC_SCRIPT, a JSON array of steps, done in order by a thread that
// stands for the driver's interrupt thread.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "nic.hpp"

namespace wirespool::test {
namespace {

using Json = nlohmann::json;

constexpr auto nap = std::chrono::milliseconds(1);

const std::map<std::string, rte_eth_event_type> events{
    {"INTR_RESET", RTE_ETH_EVENT_INTR_RESET},           {"INTR_RMV", RTE_ETH_EVENT_INTR_RMV},
    {"ERR_RECOVERING", RTE_ETH_EVENT_ERR_RECOVERING},   {"RECOVERY_SUCCESS", RTE_ETH_EVENT_RECOVERY_SUCCESS},
    {"RECOVERY_FAILED", RTE_ETH_EVENT_RECOVERY_FAILED},
};

std::atomic<std::uint64_t>* counter(Nic& nic, const std::string& name) {
  if (name == "nic_missed") return &nic.nic_missed;
  if (name == "nic_errors") return &nic.nic_errors;
  if (name == "no_mbuf") return &nic.no_mbuf;
  for (std::size_t i = 0; i < nic.xstats.size(); ++i)
    if (nic.persona.xstats[i] == name) return &nic.xstats[i];
  return nullptr;
}

void fire(Nic& nic, const std::string& event) {
  nic.log("event " + event);
  if (event == "BUS_REMOVE")
    nic.fire_bus_removal();
  else
    nic.fire(events.at(event));
}

// {"count": {"nic_missed": 5}} adds, {"set": {...}} sets.
void change_counters(Nic& nic, const Json& counters, bool add) {
  for (const auto& [name, value] : counters.items()) {
    auto& sum = *counter(nic, name);
    sum = value.get<std::uint64_t>() + (add ? sum.load() : 0);
  }
}

void perform(Nic& nic, const Json& step) {
  if (step.contains("count")) change_counters(nic, step["count"], true);
  if (step.contains("set")) change_counters(nic, step["set"], false);
  if (step.contains("deaf")) nic.deaf = step["deaf"].get<bool>();
  if (step.contains("stats_error")) nic.stats_error = step["stats_error"].get<int>();
  if (step.contains("reset_error")) nic.reset_error = step["reset_error"].get<int>();
  if (step.contains("clock_offset")) nic.clock_offset = step["clock_offset"].get<std::int64_t>();
  if (step.contains("stamp_offset")) {
    nic.stamp_offset = step["stamp_offset"].get<std::int64_t>();
    nic.offset_packets = step.value("packets", std::uint64_t{1});
  }
  if (step.contains("fire")) fire(nic, step["fire"].get<std::string>());
}

// How many packets may be given before the first of these steps that waits for some.
std::uint64_t gate_of(const Json& steps, std::size_t from) {
  for (; from < steps.size(); ++from)
    if (steps[from].contains("at")) return steps[from]["at"].get<std::uint64_t>();
  return UINT64_MAX;
}

// A step waits for `at` packets, given to the program since the beginning, and then for `wait_ms`. No packet more is
// given before it is done.
void run(Nic& nic, const Json& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto at = steps[i].value("at", std::uint64_t{0});
    while (!nic.started || nic.given < at) std::this_thread::sleep_for(nap);
    std::this_thread::sleep_for(std::chrono::milliseconds(steps[i].value("wait_ms", 0)));
    perform(nic, steps[i]);
    nic.gate = gate_of(steps, i + 1);
  }
}

}  // namespace

void start_script(Nic& nic) {
  const char* text = std::getenv("WIRESPOOL_NIC_SCRIPT");
  if (text == nullptr) return;
  static const Json steps = Json::parse(text);
  nic.gate = gate_of(steps, 0);
  std::thread([&nic] {
    try {
      run(nic, steps);
    } catch (const std::exception& error) {  // a slip in a test's script must not look like the program's fault
      std::fprintf(stderr, "nic: script: %s\n", error.what());
      std::_Exit(99);
    }
  }).detach();
}

}  // namespace wirespool::test
