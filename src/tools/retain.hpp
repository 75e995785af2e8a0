// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "keep/shelf.hpp"
#include "policy/retention.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// `wirespool retain DIR...`
struct RetainOptions {
  std::vector<std::string> directories = {};
  std::optional<policy::Share> free = {};
  std::optional<std::uint64_t> size = {};
  std::optional<std::uint64_t> age_ns = {};
  bool dry_run = false;
};

struct RetainedFile {
  std::string path;
  policy::RetainReason why = policy::RetainReason::age;
  std::uint64_t room_bytes = 0, packets = 0;
  Timestamp last;
};

struct RetainReport {
  bool dry_run = false;
  std::vector<RetainedFile> removed = {};  // or what would be
  std::uint64_t left_files = 0, left_bytes = 0;
  std::array<std::uint64_t, keep::holds> held_files{};  // by Hold
  std::array<std::uint64_t, keep::holds> held_bytes{};
  std::uint64_t missing_bytes = 0;  // still missing for --free, though nothing more may go
  std::vector<std::string> problems = {};

  bool complete() const { return problems.empty() && missing_bytes == 0; }
};

// Removes, once, what exceeds the limits, as a capture does continuously. Captures may write to the directories
// meanwhile. Waits for other commands that remove or pin files there.
std::expected<RetainReport, Error> retain(const RetainOptions& options);

std::string render_table(const RetainReport& report);
std::string render_json(const RetainReport& report);

}  // namespace wirespool::tools
