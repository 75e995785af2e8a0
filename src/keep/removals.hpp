// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/retention_files.hpp"
#include "keep/shelf.hpp"
#include "storage/directory.hpp"

namespace wirespool::keep {

// STEM-<start>.removed.json of the captures of a directory: what went of each, for whoever counts up a capture later.
class Removals {
 public:
  explicit Removals(const storage::Directory& directory) : directory_(directory) {}

  void add(const ShelfFile& file);                 // one of no known capture is nobody's to count up
  void write(std::vector<std::string>& problems);  // adds to what stands there; whoever calls it has the turn

 private:
  using Key = std::pair<std::string, Timestamp>;  // STEM and start
  const storage::Directory& directory_;
  std::map<Key, format::Removed> by_capture_;
};

// What went of that capture in that directory. nullopt: nothing; or `problem` says why it cannot be known.
std::optional<format::Removed> read_removed(const std::string& directory, const std::string& stem, Timestamp start,
                                            std::string& problem);

// Takes away capture.json, the ledger and removed.json of captures of which all files went, but never of the newest of
// a name, nor of `running`, nor of one that left a hidden file. `left`: what is still on the shelf.
void clear_remains(const Shelf& shelf, const std::vector<ShelfFile>& left, Timestamp running,
                   std::vector<std::string>& problems);

}  // namespace wirespool::keep
