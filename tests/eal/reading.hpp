// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "capture_run.hpp"
#include "support/trace.hpp"

namespace wirespool::test {

// The commands that read, as a user runs them.
inline ProcessResult run_tool(const std::string& command, const Paths& places, const Command& options = {}) {
  Command line{wirespool_program(), command};
  for (const auto& place : places) line.push_back(place.string());
  line.insert(line.end(), options.begin(), options.end());
  return run_process(line);
}

inline Json wirespool_json(const std::string& command, const Paths& places) {
  return Json::parse(run_tool(command, places, {"--json"}).out, nullptr, false);
}

// What extract writes into `output`, as libpcap reads it.
inline Trace extract(const Paths& places, const std::filesystem::path& output, Command options = {}) {
  options.insert(options.end(), {"-w", output.string()});
  const auto result = run_tool("extract", places, options);
  if (!result.ok()) throw std::runtime_error("extract: " + result.describe());
  return read_pcap(output);
}

}  // namespace wirespool::test
