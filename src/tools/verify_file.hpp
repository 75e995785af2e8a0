// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wirespool/spool.hpp"

namespace wirespool::tools {

// What is wrong with one file, all of it; and what is worth knowing but not wrong.
struct FileVerdict {
  std::string path;
  std::uint64_t file_bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp first, last;
  std::vector<std::string> problems;
  std::vector<std::string> notices;
};

// Reads every record, past the page cache, so that what is on the drive is what is looked at.
FileVerdict verify_file(const SpoolEntry& entry);

}  // namespace wirespool::tools
