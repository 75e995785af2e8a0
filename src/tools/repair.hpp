// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "tools/repair_file.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// `wirespool repair DIR...`
struct RepairOptions {
  std::vector<std::string> directories;
  bool dry_run = false;
};

struct RepairReport {
  struct InDirectory {
    std::string directory;
    std::vector<RepairedFile> files;
    std::vector<std::string> notices;  // captures without an end
  };
  bool dry_run = false;
  std::vector<InDirectory> directories;

  // Whether no hidden file is left behind, and the sealed ones have all that belongs to them.
  bool complete() const;
};

std::expected<RepairReport, Error> repair(const RepairOptions& options);

std::string render_table(const RepairReport& report);
std::string render_json(const RepairReport& report);

}  // namespace wirespool::tools
