// SPDX-License-Identifier: BSD-3-Clause
#include "tools/capture_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <tuple>

#include "format/file_name.hpp"
#include "keep/shelf.hpp"
#include "storage/direct_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

namespace fs = std::filesystem;
using storage::HiddenFileUse;

namespace {

using Key = std::pair<std::string, Timestamp>;

// Each directory of a capture has the same content; one readable copy is enough.
void read_plan(CaptureGroup& group, const std::string& path) {
  auto file = read_capture_file(path);
  if (!file) {
    group.plan_problems.push_back(path + ": " + file.error());
    return;
  }
  if (auto plan = format::decode_plan_facts(file->plan); !plan)
    group.plan_problems.push_back(path + ": " + plan.error());
  else if (!group.plan)
    group.plan = *plan;
  if (!group.final) group.final = std::move(file->ledger);
}

void read_ledger_of(CaptureGroup& group, const std::string& path) {
  auto ledger = read_ledger(path);
  if (ledger.points.size() > group.ledger.size()) {
    group.ledger = std::move(ledger.points);
    group.unbalanced_lines = ledger.unbalanced;
    group.lines_gone = ledger.lines_gone;
  }
  group.skipped_lines += ledger.skipped;
  std::ranges::move(ledger.problems, std::back_inserter(group.ledger_problems));
}

// None in a directory that cannot be listed: whoever asks has listed it before, and told of that.
std::vector<keep::HiddenFile> hidden_files(const std::string& directory) {
  return keep::hidden_files(directory).value_or(std::vector<keep::HiddenFile>{});
}

// The ledger's times are by the capture's clock, whatever that was set to.
bool covers(const CaptureGroup& group, const SpoolEntry& entry) {
  const bool candidate = group.start != Timestamp{} && group.stem == entry.stem &&
                         std::ranges::find(group.directories, entry.directory) != group.directories.end();
  return candidate && std::ranges::any_of(group.eras, [&entry](const Era& era) { return era.covers(entry.name_time); });
}

// When the capture that wrote the file began; zero if that is not known. If the index names the capture, that is
// certain. Otherwise the ledgers tell when which capture ran; if none or several could have written the file, it counts
// as the last one's that had begun by then.
Timestamp start_of_capture(const Spool& spool, const SpoolEntry& entry, const std::map<Key, CaptureGroup>& groups) {
  const auto* usual = spool.capture_of(entry);
  const auto start = usual == nullptr ? Timestamp{} : usual->start;
  if (entry.capture_mark != 0) return start;
  std::vector<Timestamp> could;
  for (const auto& [key, group] : groups) {
    if (covers(group, entry)) could.push_back(group.start);
  }
  const bool usual_fits = could.empty() || std::ranges::find(could, start) != could.end();
  return usual_fits ? start : could.back();
}

}  // namespace

bool CaptureGroup::whole() const { return plan && plan->drives == directories.size(); }

std::optional<stats::Losses> CaptureGroup::losses() const {
  if (final) return stats::losses_of(*final);
  return ledger.empty() ? std::nullopt : std::optional(ledger.back().losses);
}

std::optional<stats::Losses> CaptureGroup::losses(Timestamp from, Timestamp to) const {
  return tells_of(from) ? std::optional(losses_between(ledger, from, to)) : std::nullopt;
}

bool CaptureGroup::tells_of(Timestamp from) const {
  return !ledger.empty() && (lines_gone == 0 || from >= ledger.front().time);
}

std::string CaptureGroup::name() const { return format::capture_name(stem, start); }

std::string clock_set_back(const CaptureGroup& group) {
  std::string text;
  for (std::size_t i = 1; i < group.eras.size(); ++i) {
    text += fmt::format("{}from {} to {}", i == 1 ? "its clock was set back " : ", ", rfc3339(group.eras[i - 1].to),
                        rfc3339(group.eras[i].from));
  }
  return text.empty() ? text : text + ": times of its packets are not in the order in which they came";
}

std::vector<CaptureGroup> group_by_capture(const Spool& spool) {
  std::map<Key, CaptureGroup> groups;
  const auto group_of = [&groups](const std::string& stem, Timestamp start) -> CaptureGroup& {
    auto& group = groups[{stem, start}];
    group.stem = stem;
    group.start = start;
    return group;
  };
  for (const auto& capture : spool.captures()) {
    auto& group = group_of(capture.stem, capture.start);
    group.directories.push_back(capture.directory);
    read_plan(group, capture.plan_path);
    if (!capture.ledger_path.empty()) read_ledger_of(group, capture.ledger_path);
  }
  for (auto& [key, group] : groups) group.eras = eras_of(group.ledger);
  for (const auto& entry : spool.files()) {
    if (!entry.named) continue;
    auto& group = group_of(entry.stem, start_of_capture(spool, entry, groups));
    group.files.push_back(&entry);
    if (std::ranges::find(group.directories, entry.directory) == group.directories.end()) {
      group.directories.push_back(entry.directory);
    }
  }
  std::vector<CaptureGroup> all;
  for (auto& [key, group] : groups) all.push_back(std::move(group));
  return all;
}

namespace {

std::vector<std::string> hidden_files_in(const std::string& directory, bool left_behind) {
  std::vector<std::string> files;
  for (const auto& file : hidden_files(directory)) {
    const auto use = storage::use_of_hidden_file(directory, file.name, file.parts.stem);
    if ((use == HiddenFileUse::left_behind) == left_behind) files.push_back((fs::path(directory) / file.name).string());
  }
  return files;
}

std::vector<std::string> hidden_files_in(const std::vector<std::string>& places, bool left_behind) {
  std::set<std::string> files;
  std::error_code ignored;
  for (const auto& place : places) {
    if (!fs::is_directory(place, ignored)) continue;
    for (auto& file : hidden_files_in(place, left_behind)) files.insert(std::move(file));
  }
  return {files.begin(), files.end()};
}

}  // namespace

std::vector<std::string> files_left_behind(const std::string& directory) { return hidden_files_in(directory, true); }

std::vector<std::string> files_left_behind(const std::vector<std::string>& places) {
  return hidden_files_in(places, true);
}

std::vector<std::string> files_being_written(const std::vector<std::string>& places) {
  return hidden_files_in(places, false);
}

bool has_open_files(const std::string& directory, const std::string& stem, Timestamp start) {
  return std::ranges::any_of(hidden_files(directory), [&](const keep::HiddenFile& file) {
    return file.parts.stem == stem && file.parts.first == start &&
           storage::use_of_hidden_file(directory, file.name, stem) == HiddenFileUse::in_use;
  });
}

}  // namespace wirespool::tools
