// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/missing.hpp"
#include "wirespool/query.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::tools {

// What a query would read, by the indices of the files and before any packet is looked at.
struct Estimate {
  std::uint64_t files = 0, files_to_read = 0;
  std::uint64_t bytes = 0, bytes_to_read = 0;  // of files, with record headers
  // At most so many Blocks are read, and packets match. nullopt: a file to be read has no index that can be used.
  std::optional<std::uint64_t> blocks = 0, packets = 0;
  Missing missing;  // in that time
  std::vector<std::string> notices;
  std::vector<Error> problems;
};

// Reads indices and ledgers only. Ends early when `query.stop` is set.
Estimate estimate(const Spool& spool, const Query& query);

std::string render_json(const Estimate& estimate);

}  // namespace wirespool::tools
