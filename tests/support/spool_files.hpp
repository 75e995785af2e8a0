// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/trace.hpp"

namespace wirespool::test {

// What a capture left, as libpcap reads it: an opinion from outside, nothing of wirespool's own readers.
struct SpoolFileContent {
  std::filesystem::path path;
  Trace packets;
};

// All *.pcap and *.pcapng of the directories that are not hidden, sorted by name.
std::vector<std::filesystem::path> sealed_files(const std::vector<std::filesystem::path>& directories);
std::vector<std::filesystem::path> hidden_files(const std::vector<std::filesystem::path>& directories);

std::vector<SpoolFileContent> read_sealed_files(const std::vector<std::filesystem::path>& directories);

// All packets in time order; packets of one time in the order of the files.
Trace merge_by_time(const std::vector<SpoolFileContent>& files);
Trace read_spool(const std::vector<std::filesystem::path>& directories);

}  // namespace wirespool::test
