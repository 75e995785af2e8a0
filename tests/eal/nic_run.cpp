// SPDX-License-Identifier: BSD-3-Clause
#include "nic_run.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "pcap_stream.hpp"

namespace wirespool::test {
namespace {

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: run this with meson test");
  return value;
}

Command behind_nic(const Bench& bench, const Nic& nic, const Command& command) {
  Command whole{"env", std::string("LD_PRELOAD=") + environment("NIC"),
                "WIRESPOOL_NIC=" + (personas() / (nic.persona + ".json")).string(),
                "WIRESPOOL_NIC_LOG=" + (bench.base / "nic.log").string()};
  if (!nic.script.empty()) whole.push_back("WIRESPOOL_NIC_SCRIPT=" + nic.script.dump());
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

}  // namespace

std::filesystem::path personas() { return environment("PERSONAS"); }

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

NicRun capture_behind(const Bench& bench, const Nic& nic, Command options, unsigned queues,
                      const std::vector<std::string>& more_vdevs) {
  if (!std::filesystem::exists(bench.trace())) write_trace({.kind = "imix", .packets = packets}, bench.trace());
  std::vector<std::string> vdevs{replay_of(Paths(queues, bench.trace()))};
  vdevs.insert(vdevs.end(), more_vdevs.begin(), more_vdevs.end());
  options.insert(options.end(), {"--when-full", "wait", "--stats-interval", "20ms"});
  const bool ends = std::ranges::any_of(
      options, [](const auto& option) { return option == "--duration" || option == "--idle-exit"; });
  if (!ends) options.insert(options.end(), {"--idle-exit", "2s"});
  const auto command = command_line({.vdevs = vdevs, .outputs = bench.outputs, .options = options, .lcores = 3});
  auto process = run_process(behind_nic(bench, nic, command), Seconds(60));
  return {read_capture(std::move(process)), text_of(bench.base / "nic.log")};
}

Json kept_plan(const Bench& bench) {
  for (const auto& entry : std::filesystem::directory_iterator(bench.outputs.front()))
    if (entry.path().string().ends_with(".capture.json")) return Json::parse(text_of(entry.path())).at("plan");
  throw std::runtime_error("no capture.json in " + bench.outputs.front().string());
}

Json counted(unsigned at, const char* counter, std::uint64_t count) {
  return {{"at", at}, {"count", {{counter, count}}}};
}

}  // namespace wirespool::test
