// SPDX-License-Identifier: BSD-3-Clause
#include "tools/repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "storage/knows_holes.hpp"
#include "tools/capture_group.hpp"

namespace wirespool::tools {

namespace fs = std::filesystem;
using Outcome = RepairedFile::Outcome;

namespace {

struct Hidden {
  std::string name;
  format::FileName parsed;
};

std::vector<Hidden> hidden_files(const std::string& directory) {
  std::vector<Hidden> files;
  std::error_code error;
  auto entry = fs::directory_iterator(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    auto name = entry->path().filename().string();
    if (auto parsed = format::parse_hidden_file_name(name)) files.push_back({std::move(name), std::move(*parsed)});
  }
  std::ranges::sort(files, {}, &Hidden::name);
  return files;
}

Timestamp now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp{
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count())};
}

// What the capture's own file says of it; what is usual where that is not known.
RepairContext context_for(const storage::Directory& directory, const format::FileName& hidden) {
  RepairContext context{.directory = directory, .now = now()};
  const auto facts = read_capture_json(directory.path_of(format::capture_file_name(hidden.stem, hidden.first)));
  if (!facts) return context;
  if (facts->block_bytes >= 512 && facts->block_bytes <= (1u << 30))
    context.block_bytes = static_cast<std::uint32_t>(*facts->block_bytes);
  if (facts->flow_index) context.index_level = format::IndexLevel::flow;
  context.on_seal = facts->on_seal;
  return context;
}

// What repair cannot bring back is the end of the books; it stays visible that there is none.
std::vector<std::string> captures_without_end(const std::string& directory) {
  std::vector<std::string> notices;
  const auto spool = Spool::open({directory});
  if (!spool) return notices;
  for (const auto& group : group_by_capture(*spool)) {
    if (group.start == Timestamp{} || (group.facts && group.facts->final)) continue;
    if (has_open_files(directory, group.stem, group.start)) continue;
    const auto last = group.ledger.empty()
                          ? std::string("it wrote no ledger line")
                          : "the last line of its ledger is of " + format::format_rfc3339(group.ledger.back().time);
    notices.push_back(fmt::format("capture {}-{} did not come to its end: {}", group.stem,
                                  format::format_compact_time(group.start), last));
  }
  return notices;
}

std::expected<RepairReport::InDirectory, ToolProblem> repair_directory(const std::string& path, bool dry_run) {
  const auto directory = storage::Directory::open(path);
  if (!directory) {
    const bool wrong = directory.error().code == ENOENT || directory.error().code == ENOTDIR;
    auto problem = not_ready(directory.error(), "name the output directories of a capture");
    if (wrong) problem.kind = ToolProblem::Kind::wrong_use;
    return std::unexpected(std::move(problem));
  }
  RepairReport::InDirectory result{path, {}, {}};
  const bool holes_known = storage::knows_holes(*directory);
  for (const auto& hidden : hidden_files(path)) {
    auto context = context_for(*directory, hidden.parsed);
    context.dry_run = dry_run;
    context.holes_known = holes_known;
    result.files.push_back(repair_file(context, hidden.name, hidden.parsed));
  }
  result.notices = captures_without_end(path);
  return result;
}

}  // namespace

bool RepairReport::complete() const {
  return std::ranges::all_of(directories, [](const auto& directory) {
    return std::ranges::none_of(directory.files, [](const auto& file) {
      return file.outcome == Outcome::failed || file.outcome == Outcome::unreadable;
    });
  });
}

std::expected<RepairReport, ToolProblem> repair(const RepairOptions& options) {
  RepairReport report;
  report.dry_run = options.dry_run;
  for (const auto& path : options.directories) {
    auto repaired = repair_directory(path, options.dry_run);
    if (!repaired) return std::unexpected(std::move(repaired.error()));
    report.directories.push_back(std::move(*repaired));
  }
  return report;
}

}  // namespace wirespool::tools
