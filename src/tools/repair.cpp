// SPDX-License-Identifier: BSD-3-Clause
#include "tools/repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include "keep/shelf.hpp"
#include "storage/direct_file.hpp"
#include "storage/extents.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"
#include "tools/capture_group.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

namespace fs = std::filesystem;
using Outcome = RepairedFile::Outcome;

namespace {

// The times at which the capture can have run, by its name and its ledger, with a day to spare: its clock may have been
// set meanwhile.
void add_likely_times(RepairContext& context, Timestamp start, const std::vector<LedgerPoint>& ledger) {
  constexpr std::uint64_t day_ns = 86'400'000'000'000;
  constexpr Timestamp latest{std::numeric_limits<std::uint64_t>::max()};
  auto from = start, to = start;
  for (const auto& point : ledger) {
    from = std::min(from, point.time);
    to = std::max(to, point.time);
  }
  context.likely_from = Timestamp{from.ns > day_ns ? from.ns - day_ns : 1};
  context.likely_to = Timestamp{latest.ns - to.ns > day_ns ? to.ns + day_ns : latest.ns};
}

// What stands in front of the packets in a capture's pcapng files, from the first of them, sealed or hidden, that has
// it.
std::optional<format::PcapngFront> front_in(const storage::Directory& directory, const format::FileName& hidden) {
  std::vector<std::string> names;
  if (const auto others = keep::hidden_files(directory.path()))
    for (const auto& other : *others)
      if (other.parts.stem == hidden.stem && other.parts.first == hidden.first) names.push_back(other.name);
  if (const auto spool = Spool::open({directory.path()}))
    for (const auto& file : spool->files())
      if (file.stem == hidden.stem && file.capture_mark == format::capture_mark(hidden.first))
        names.push_back(fs::path(file.path).filename().string());
  for (const auto& name : names) {
    const auto file = storage::ReadFile::open_in(directory, name);
    if (!file) continue;
    std::vector<std::byte> bytes(std::min<std::uint64_t>(format::longest_pcapng_front, file->size()));
    const auto got = file->read(0, bytes);
    if (!got) continue;
    if (auto front = format::pcapng_front(std::span(bytes).first(*got))) return front;
  }
  return std::nullopt;
}

// What the capture's own files say of it, with defaults for what is not known.
RepairContext context_for(const storage::Directory& directory, const format::FileName& hidden) {
  RepairContext context{.directory = directory, .capture_mark = format::capture_mark(hidden.first)};
  const auto ledger = directory.path_of(format::ledger_file_name(hidden.stem, hidden.first));
  add_likely_times(context, hidden.first, read_ledger(ledger).points);
  if (hidden.format == format::FileFormat::pcapng) context.front = front_in(directory, hidden);
  const auto file = read_capture_file(directory.path_of(format::capture_file_name(hidden.stem, hidden.first)));
  if (!file) return context;
  const auto plan = format::decode_plan_facts(file->plan);
  if (!plan) return context;
  if (plan->block_bytes >= 512 && plan->block_bytes <= (1u << 30))
    context.block_bytes = static_cast<std::uint32_t>(plan->block_bytes);
  if (plan->flow_index) context.index_level = format::IndexLevel::flow;
  if (plan->snaplen > 0 && plan->snaplen <= UINT32_MAX) context.snaplen = static_cast<std::uint32_t>(plan->snaplen);
  context.on_seal = plan->on_seal;
  return context;
}

// Notices: repair cannot bring back the end of the books, so it must stay visible that there is none, and what could
// not be read.
std::vector<std::string> captures_without_end(const std::string& directory) {
  std::vector<std::string> notices;
  const auto spool = Spool::open({directory});
  if (!spool) return notices;
  for (const auto& group : group_by_capture(*spool)) {
    if (group.start == Timestamp{} || group.final) continue;
    for (const auto& problem : group.plan_problems) notices.push_back(problem + ": its files are repaired as is usual");
    if (has_open_files(directory, group.stem, group.start)) continue;
    const auto last = group.ledger.empty() ? std::string("it wrote no ledger line")
                                           : "the last line of its ledger is of " + rfc3339(group.ledger.back().time);
    notices.push_back(fmt::format("capture {} did not come to its end: {}", group.name(), last));
  }
  return notices;
}

// What a capture told live readers that did not come to its end. Nobody believes it, and the next capture of that name
// replaces it; here it is removed, so that nothing is left over.
void remove_left_live_files(const storage::Directory& directory, bool dry_run, std::vector<std::string>& notices) {
  std::error_code error;
  auto entry = fs::directory_iterator(directory.path(), error);
  std::vector<std::string> left;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().string();
    const auto stem = format::parse_live_file_name(name);
    if (!stem) continue;
    if (storage::use_of_hidden_file(directory.path(), name, *stem) == storage::HiddenFileUse::left_behind)
      left.push_back(name);
  }
  for (const auto& name : left) {
    if (!dry_run) storage::remove_marker(directory, name);
    notices.push_back(directory.path_of(name) + ": what a capture told live readers that did not come to its end: " +
                      (dry_run ? "to be removed" : "removed"));
  }
}

std::expected<RepairReport::InDirectory, Error> repair_directory(const std::string& path, bool dry_run) {
  const auto directory = storage::Directory::open(path);
  if (!directory) {
    const bool wrong = directory.error().code == ENOENT || directory.error().code == ENOTDIR;
    auto problem = storage::as_error(directory.error(), "name the output directories of a capture");
    if (wrong) problem.kind = Error::Kind::wrong_use;
    return std::unexpected(std::move(problem));
  }
  RepairReport::InDirectory result{path, {}, {}};
  const bool holes_known = storage::knows_holes(*directory);
  using Capture = std::pair<std::string, Timestamp>;
  std::map<Capture, RepairContext> contexts;
  const auto files = keep::hidden_files(path);
  if (!files) return std::unexpected(files.error());
  for (const auto& hidden : *files) {
    const Capture capture{hidden.parts.stem, hidden.parts.first};
    auto known = contexts.find(capture);
    if (known == contexts.end()) known = contexts.emplace(capture, context_for(*directory, hidden.parts)).first;
    auto& context = known->second;
    context.dry_run = dry_run;
    context.holes_known = holes_known;
    result.files.push_back(repair_file(context, hidden.name, hidden.parts));
  }
  result.notices = captures_without_end(path);
  remove_left_live_files(*directory, dry_run, result.notices);
  return result;
}

}  // namespace

bool RepairReport::complete() const {
  return std::ranges::all_of(directories, [](const auto& directory) {
    return std::ranges::none_of(directory.files, [](const auto& file) {
      return file.outcome == Outcome::failed || file.outcome == Outcome::unreadable || !file.index_problem.empty() ||
             !file.marker_problem.empty();
    });
  });
}

std::expected<RepairReport, Error> repair(const RepairOptions& options) {
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
