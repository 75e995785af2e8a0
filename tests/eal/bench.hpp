// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

#include "capture_run.hpp"
#include "support/temp_dir.hpp"

namespace wirespool::test {

// Directories to capture into, all in one that goes at the end.
struct Bench {
  TempDir base;
  Paths outputs;

  explicit Bench(unsigned drives = 1) {
    for (unsigned i = 0; i < drives; ++i) {
      outputs.push_back(base / ("drive" + std::to_string(i)));
      std::filesystem::create_directory(outputs.back());
    }
  }

  std::filesystem::path trace(const std::string& name = "trace.pcap") const { return base / name; }
};

// EAL's --vdev for a port that replays these files, one an RX queue.
inline std::string replay_of(const Paths& traces, bool forever = false) {
  static unsigned count = 0;
  std::string vdev = "net_pcap" + std::to_string(count++);
  for (const auto& trace : traces) vdev += ",rx_pcap=" + trace.string();
  return vdev + (forever ? ",infinite_rx=1" : "");
}

// The capture is to take exactly this many; if one is lost it still ends.
inline Command until_packets(std::uint64_t packets, Command more = {}) {
  more.insert(more.end(), {"--packets", std::to_string(packets), "--idle-exit", "15s"});
  return more;
}

}  // namespace wirespool::test
