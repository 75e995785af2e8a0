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
    std::vector<std::string> notices;  // captures that did not come to their end
  };
  bool dry_run = false;
  std::vector<InDirectory> directories;

  // No hidden file is left that no capture writes to, and all that belongs to the sealed ones is there.
  bool complete() const;
};

std::expected<RepairReport, Error> repair(const RepairOptions& options);

std::string render_table(const RepairReport& report);
std::string render_json(const RepairReport& report);

}  // namespace wirespool::tools
