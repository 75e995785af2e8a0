// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/network.hpp"
#include "support/process.hpp"

namespace wirespool::test {

using Json = nlohmann::json;
using Paths = std::vector<std::filesystem::path>;

// One `wirespool capture` of the real program, as a test wants it.
struct CaptureCommand {
  std::vector<std::string> vdevs;  // EAL's --vdev each, "net_null0,size=64"
  Paths outputs;
  Command options;           // capture's own; --stats json unless they say otherwise
  unsigned lcores = 3;       // the main one included
  unsigned megabytes = 192;  // EAL's -m
  const NetNamespace* inside = nullptr;
  std::string redirection = {};  // by a shell, "2>/dev/full"
  Command under = {};            // in front of the program: {"env", "LD_PRELOAD=..."}
};

// The program Meson built: its path is in $WIRESPOOL.
std::string wirespool_program();

// EAL's --lcores for this many on the first two CPUs this process may use: main and odd ones on the first.
std::string lcore_map(unsigned lcores);

Command command_line(const CaptureCommand& capture);

struct CaptureResult {
  ProcessResult process;
  std::vector<Json> ledger;  // the JSON lines of stdout
  std::string not_json;      // the first line of stdout that is none

  const Json& last() const;
  std::uint64_t total(const std::string& name) const;  // of the last line
  std::string ended_by() const;
  std::string describe() const;  // for INFO: exit code, stderr, the last line
};

// A drive of a ledger line, by its path; null if it is not there.
Json drive_of(const Json& line, const std::filesystem::path& path);

// In front of the program (CaptureCommand::under): its calls fail as support/faulty_calls.hpp says. The module Meson
// built: its path is in $FAULTY_CALLS_MODULE; throws std::runtime_error without it.
Command with_faulty_calls(const std::string& calls);

CaptureResult read_capture(ProcessResult process);  // what it printed
CaptureResult run_capture(const CaptureCommand& capture, Seconds timeout = Seconds(120));

// A capture that a test talks to while it runs.
class LiveCapture {
 public:
  explicit LiveCapture(const CaptureCommand& capture) : process_(command_line(capture)) {}

  bool wait_until_running();  // all lcores poll
  Json newest() const;        // the newest ledger line; null if there is none yet
  std::uint64_t total(const std::string& name) const;
  bool wait_for_total(const std::string& name, std::uint64_t at_least, Seconds timeout = Seconds(60));

  Process& process() { return process_; }
  CaptureResult wait(Seconds timeout = Seconds(60));
  CaptureResult stop(int signal = SIGINT, Seconds timeout = Seconds(60));

 private:
  Process process_;
};

}  // namespace wirespool::test
