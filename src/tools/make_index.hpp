// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "format/index_file.hpp"
#include "wirespool/error.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::tools {

// `wirespool index DIR|FILE...`
struct IndexOptions {
  std::vector<std::string> places;
  format::IndexLevel level = format::IndexLevel::flow;
  bool again = false;  // even if there is one of that level already
  // Told beside which files it may write, and into which archives these may move, before a packet is read; empty:
  // nobody.
  std::function<void(const std::vector<std::string>& paths)> limit_writes = {};
};

struct IndexedFile {
  enum class Outcome { made, kept, refused };
  std::string path;
  Outcome outcome = Outcome::made;
  std::string why;  // why it was refused
  std::uint64_t packets = 0;
  std::uint64_t index_bytes = 0;
};

struct IndexReport {
  std::vector<IndexedFile> files;
  std::vector<std::string> notices;
  bool complete() const;  // every file has one now
};

std::expected<IndexReport, Error> make_indices(const IndexOptions& options);
std::string render_table(const IndexReport& report);

}  // namespace wirespool::tools
