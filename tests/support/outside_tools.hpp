// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wirespool::test {

// What other programs make of one of our files.
struct OutsideOpinion {
  bool understood = false;  // it ended without an error or a complaint about the file
  std::uint64_t packets = 0;
  std::string complaint;
};

OutsideOpinion ask_tcpdump(const std::filesystem::path& file);
OutsideOpinion ask_tshark(const std::filesystem::path& file);

struct CapinfosOpinion : OutsideOpinion {
  std::uint64_t data_bytes = 0;  // "Data size": sum of wirelen
  bool nanoseconds = false;
  bool in_time_order = false;
};
CapinfosOpinion ask_capinfos(const std::filesystem::path& file);

// Those of tcpdump, tshark and capinfos that are not installed.
std::vector<std::string> missing_outside_tools();

}  // namespace wirespool::test
