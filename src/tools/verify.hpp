// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "tools/verify_file.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// What is wrong with a capture's own account (capture.json and ledger).
struct CaptureVerdict {
  std::string name;  // STEM-<start>
  std::vector<std::string> problems = {};
  std::vector<std::string> notices = {};
  std::uint64_t skipped_lines = 0;  // of its ledger: they make no sense
};

// `wirespool verify DIR|FILE...`
struct VerifyReport {
  std::vector<FileVerdict> files;
  std::vector<CaptureVerdict> captures;
  std::vector<std::string> problems;  // of neither files nor captures
  std::vector<std::string> notices;
  double seconds = 0;

  std::size_t problem_count() const;
};

// `done` is called after each file. `stop`: once it is true, it ends with an Error, at the latest when the next
// megabytes of a file have been read; not owned.
std::expected<VerifyReport, Error> verify(const std::vector<std::string>& places,
                                          const std::function<void(const FileVerdict&)>& done = {},
                                          const std::atomic<bool>* stop = nullptr);

std::string render_table(const VerifyReport& report);
std::string render_json(const VerifyReport& report);

}  // namespace wirespool::tools
