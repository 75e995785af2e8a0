// SPDX-License-Identifier: BSD-3-Clause
// The table of tests/nic/README.md: each row is a run of the real program on a persona. REFRESH=yes writes it anew.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "nic_run.hpp"
#include "support/catch.hpp"

using namespace wirespool::test;

namespace {

constexpr const char* begin_mark = "<!-- made by tests/eal/test_nic_table.cpp from here -->\n";
constexpr const char* end_mark = "<!-- to here -->\n";

using Words = std::vector<std::string>;

std::string joined(const Words& words) { return fmt::format("{}", fmt::join(words, ", ")); }

std::vector<std::string> persona_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(personas())) names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

// What a persona's file says of how the device differs from one that does all it is asked to.
std::string behaviour(const Json& persona) {
  Words words;
  const auto grants = persona.value("grants", Json::object());
  const auto& info = persona.at("info");
  if (info.value("max_rx_queues", 1u) > grants.value("rx_queues", 65535u))
    words.push_back(fmt::format("offers {} queues and grants {}", info.at("max_rx_queues").get<unsigned>(),
                                grants.at("rx_queues").get<unsigned>()));
  if (grants.value("power_of_two", false)) words.emplace_back("starts with a power of two of them only");
  if (persona.value("rss_ignored", false)) words.emplace_back("takes RSS and does none");
  if (persona.value("key_ignored", false)) words.emplace_back("takes an RSS key and hashes with its own");
  if (persona.value("mtu_ignored", false)) words.emplace_back("takes an MTU and leaves it");
  if (info.contains("ring_recommended"))
    words.push_back(fmt::format("recommends {} descriptors", info["ring_recommended"].get<unsigned>()));
  if (info.value("timestamps", false))
    words.push_back(fmt::format("stamps: {}, clock read: {}", persona.value("stamps", "none"),
                                persona.value("read_clock", "none")));
  if (persona.at("counts").empty()) words.emplace_back("counts nothing");
  if (persona.contains("stats_when_stopped")) words.emplace_back("tells nothing once stopped");
  if (persona.value("burst_step", 1u) > 1)
    words.push_back(fmt::format("bursts of {}", persona["burst_step"].get<unsigned>()));
  if (persona.value("pause", false)) words.emplace_back("sends pause frames");
  if (info.contains("mtu")) words.push_back(fmt::format("has an MTU of {}", info["mtu"].get<unsigned>()));
  if (persona.contains("promiscuous"))
    words.push_back(fmt::format("promiscuous mode: error {}", persona["promiscuous"].get<int>()));
  if (persona.value("strips_vlan", false)) words.emplace_back("takes VLAN tags off");
  return joined(words);
}

// Every counter it has grows once, half-way.
Json script_of(const Json& persona) {
  Json counters = {{"nic_missed", 5}, {"nic_errors", 6}, {"no_mbuf", 7}};
  for (const auto& name : persona.value("xstats", Json::array())) counters[name.get<std::string>()] = 11;
  return {{{"at", 1'000}, {"count", counters}}};
}

std::string number_or_null(const Json& line, const char* name) {
  return line.at(name).is_null() ? fmt::format("{} null", name)
                                 : fmt::format("{} {}", name, line.at(name).get<std::uint64_t>());
}

std::string rss_of(const Json& port) {
  if (port.at("rss_functions") == 0) return "no RSS";
  return port.at("symmetric_key") ? "symmetric RSS" : "the device's RSS";
}

std::string stamps_of(const Json& planned, const Json& line) {
  if (!planned.at("hw_timestamp").get<bool>()) return "TSC stamps";
  return line.value("stamps_refused", 0u) == 0 ? "the NIC stamps" : "the NIC's stamps refused";
}

// What the program made of it, asked for six queues.
std::string made_of_it(const NicRun& run, const Json& planned) {
  const auto& line = run.port();
  Words words{
      fmt::format("{} queues of {}", planned.at("rx_queues").get<unsigned>(), planned.at("rx_desc").get<unsigned>()),
      rss_of(planned), stamps_of(planned, line)};
  words.push_back(fmt::format("MTU {}", planned.at("mtu").get<unsigned>()));
  for (const auto* name : {"nic_missed", "nic_errors", "no_mbuf"}) words.push_back(number_or_null(line, name));
  for (const auto* name : {"refills_failed", "nic_other"})
    if (line.contains(name)) words.push_back(number_or_null(line, name));
  if (run.asked.find("drop=1") != std::string::npos) words.emplace_back("drop_en set");
  if (run.was_asked("flow_control 0")) words.emplace_back("pause switched off");
  for (const auto* notice : {"refuses promiscuous mode", "has no promiscuous mode"})
    if (run.result.process.err.find(notice) != std::string::npos) words.push_back(fmt::format("\"{}\" told", notice));
  words.push_back(fmt::format("{} of {} stored", run.result.total("stored"), run.result.total("received")));
  return joined(words);
}

std::string row_of(const std::string& name) {
  const Bench bench;
  const auto persona = Json::parse(text_of(personas() / (name + ".json")));
  const auto run = capture_behind(bench, {.persona = name, .script = script_of(persona)},
                                  {"--rx-queues", "6", "--rx-lcores", "1", "--idle-exit", "500ms"}, 6);
  INFO(run.describe());
  REQUIRE(run.result.process.exit_code == 0);
  return fmt::format("| {} | {} | {} |\n", name, behaviour(persona),
                     made_of_it(run, kept_plan(bench).at("ports").at(0)));
}

}  // namespace

TEST_CASE("the table of personas in tests/nic/README.md is what the program does on each") {
  std::string table = "| persona | what the device does | what the program made of it |\n|---|---|---|\n";
  for (const auto& name : persona_names()) table += row_of(name);
  const auto path = personas().parent_path() / "README.md";
  const auto page = text_of(path);
  const auto begin = page.find(begin_mark), end = page.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto from = begin + std::string(begin_mark).size();
  if (std::getenv("REFRESH") != nullptr)
    std::ofstream(path) << page.substr(0, from) << table << page.substr(end);
  else
    CHECK(page.substr(from, end - from) == table);
}
