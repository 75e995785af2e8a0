// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/ledger_file.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::tools {

// One capture in all the directories that were looked at, with what it wrote about itself.
struct CaptureGroup {
  std::string stem;
  Timestamp start;  // zero: files of a name without a capture.json
  std::vector<std::string> directories;
  std::vector<const SpoolEntry*> files;
  std::optional<format::PlanFacts> plan;
  std::optional<format::LedgerLine> final;  // its last ledger line: capture.json has it once it has ended
  std::uint64_t unbalanced_lines = 0;       // of the ledger
  std::uint64_t skipped_lines = 0;          // of the ledger: they make no sense
  std::vector<LedgerPoint> ledger;
  std::uint64_t lines_gone = 0;              // before the ledger's first line
  std::vector<Era> eras;                     // of the ledger: more than one where the clock was set back
  std::vector<std::string> plan_problems;    // of capture.json, which is replaced whole
  std::vector<std::string> ledger_problems;  // of the ledger, in which a crash may leave half a line

  bool whole() const;                           // all drives that it wrote to were looked at
  std::optional<stats::Losses> losses() const;  // to its last line; nullopt: unknown
  bool tells_of(Timestamp from) const;          // whether the ledger reaches back to `from`: lines may be gone
  std::optional<stats::Losses> losses(Timestamp from, Timestamp to) const;
  std::string name() const;  // STEM-<start>
};

// How often and how far the clock was set back during the capture, by its ledger; empty if it was not.
std::string clock_set_back(const CaptureGroup& group);

// Files that are not SpoolFiles belong to no group. `spool` must outlive the groups.
std::vector<CaptureGroup> group_by_capture(const Spool& spool);

// Hidden files in a directory that no capture writes to any more.
std::vector<std::string> files_left_behind(const std::string& directory);
// Those in all the directories of `places`, each directory once.
std::vector<std::string> files_left_behind(const std::vector<std::string>& places);
// The other hidden files: a capture has them open, or it is not known whether one has.
std::vector<std::string> files_being_written(const std::vector<std::string>& places);

// Whether a capture of this name has a hidden file open in the directory.
bool has_open_files(const std::string& directory, const std::string& stem, Timestamp start);

}  // namespace wirespool::tools
