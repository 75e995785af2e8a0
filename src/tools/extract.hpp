// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tools/packet_writer.hpp"
#include "wirespool/error.hpp"
#include "wirespool/merge.hpp"

namespace wirespool::tools {

struct ExtractProgress {
  std::uint64_t packets = 0;  // written
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_in_all = 0;
  Timestamp time;  // of the last packet
};

// `wirespool extract DIR|FILE... -w OUT`
struct ExtractOptions {
  std::vector<std::string> places;
  std::string output;  // "-": standard output
  Timestamp from{0};
  Timestamp to{std::numeric_limits<std::uint64_t>::max()};  // not included
  std::string filter;                                       // empty: none
  std::uint64_t packets = std::numeric_limits<std::uint64_t>::max();
  OutputFormat format = OutputFormat::pcap;
  bool use_index = true;
  std::function<void(const ExtractProgress&)> progress;  // empty: none; called a few times a second
};

struct ExtractReport {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  bool closed = false;      // nobody read the output to its end
  Merge::Progress read;
  std::vector<std::string> notices;
  std::vector<Error> problems;  // what could not be read; the rest was
};

std::expected<ExtractReport, Error> extract(const ExtractOptions& options);

}  // namespace wirespool::tools
