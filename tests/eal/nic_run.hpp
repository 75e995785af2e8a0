// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench.hpp"
#include "capture_run.hpp"

namespace wirespool::test {

// The real program behind a NIC of our own (tests/nic).

constexpr unsigned packets = 3'000;  // of each trace

// A NIC in front of port 0, and what happens to it.
struct Nic {
  std::string persona;
  Json script = Json::array();
};

struct NicRun {
  CaptureResult result;
  std::string asked;  // what the program asked of the device, a line each

  bool was_asked(const std::string& line) const { return ("\n" + asked).find("\n" + line) != std::string::npos; }
  const Json& port() const { return result.last().at("ports").at(0); }
  std::string describe() const { return result.describe() + "\nasked:\n" + asked; }
};

// Replays a trace of `packets` on as many RX queues as asked for; ends when nothing more comes.
NicRun capture_behind(const Bench& bench, const Nic& nic, Command options = {}, unsigned queues = 1,
                      const std::vector<std::string>& more_vdevs = {});

// A step of a script: when `at` packets were given, `counter` gets `count` more.
Json counted(unsigned at, const char* counter, std::uint64_t count);

Json kept_plan(const Bench& bench);  // of capture.json

std::filesystem::path personas();  // where they are

std::string text_of(const std::filesystem::path& path);

}  // namespace wirespool::test
