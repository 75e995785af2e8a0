// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "format/index_file.hpp"
#include "support/trace.hpp"
#include "wirespool/merge.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::test {

// How to lay a trace out over files as a capture does, without a capture.
struct Layout {
  std::string stem = "t";
  std::vector<std::filesystem::path> directories;
  unsigned streams = 2;              // packets go to them by turns, a few at a time
  std::uint32_t block_bytes = 4096;  // Blocks of a Stream go to the directories by turns
  unsigned blocks_per_file = 10;
  enum class Index { none, time, flow } index = Index::time;
  std::uint64_t seed = 1;
};

// Writes the files; returns their paths. A packet is in the Block in which its record starts.
std::vector<std::string> lay_out(const Trace& trace, const Layout& layout);

// Makes the index of a pcap file as `wirespool index` would.
void make_index(const std::filesystem::path& pcap, format::IndexLevel level, std::uint32_t block_bytes);

Trace read_all(Merge& merge);
Trace query(const std::vector<std::string>& places, Query query = {});

}  // namespace wirespool::test
