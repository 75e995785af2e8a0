// SPDX-License-Identifier: BSD-3-Clause
#include "tools/ls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "format/file_name.hpp"
#include "storage/directory.hpp"
#include "tools/capture_group.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

using State = ListedCapture::State;

namespace {

double rate(std::uint64_t bytes, Timestamp first, Timestamp last) {
  return last <= first ? 0 : 8e9 * static_cast<double>(bytes) / static_cast<double>(last.ns - first.ns);
}

void scan(ListedFile& listed, std::vector<std::string>& notices) {
  auto file = SpoolFile::open(listed.entry.path);
  if (!file) {
    notices.push_back(file.error().message());
    return;
  }
  auto entry = listed.entry;
  while (const auto* packet = file->next()) {
    const auto time = packet->view.time;
    entry.first = entry.packets == 0 ? time : std::min(entry.first, time);
    entry.last = std::max(entry.last, time);
    entry.bytes += packet->view.caplen();
    ++entry.packets;
  }
  if (file->problem()) {  // only a part was counted, and it is not known of how much
    notices.push_back(file->problem()->message());
    return;
  }
  listed.entry = std::move(entry);
  listed.counted = true;
}

ListedFile list_file(const SpoolEntry& entry, const LsOptions& options, std::vector<std::string>& notices) {
  ListedFile listed;
  listed.entry = entry;
  std::error_code unknown;
  listed.pinned = std::filesystem::exists(std::filesystem::symlink_status(format::keep_file_name(entry.path), unknown));
  listed.counted = entry.index != SpoolEntry::Index::none;
  if (!listed.counted && options.scan) scan(listed, notices);
  return listed;
}

// From its index, or else from the ledger of that time.
std::optional<format::ClockBound> clock_of(const SpoolEntry& entry, const CaptureGroup& group) {
  if (entry.clock_source.empty())
    return group.tells_of(entry.first) ? clock_between(group.ledger, entry.first, entry.last) : std::nullopt;
  return format::ClockBound{
      .source = entry.clock_source, .discipline = entry.clock_discipline, .error_ns = entry.clock_error_ns};
}

void count(ListedCapture& capture, const ListedFile& file) {
  capture.file_bytes += file.entry.file_bytes;
  if (!file.counted) {
    ++capture.uncounted;
    return;
  }
  if (file.entry.packets == 0) return;
  capture.first = capture.packets == 0 ? file.entry.first : std::min(capture.first, file.entry.first);
  capture.last = std::max(capture.last, file.entry.last);
  capture.packets += file.entry.packets;
  capture.bytes += file.entry.bytes;
}

// False if the clock was set back over that stretch: then no capture ran at those times.
bool captured_throughout(const CaptureGroup& group, Timestamp from, Timestamp to) {
  return group.eras.size() < 2 ||
         std::ranges::any_of(group.eras, [from, to](const Era& era) { return era.covers(from) && era.covers(to); });
}

// Gaps between the times that the files cover together. Not reported while some files are uncounted: they may fill
// them.
std::vector<Gap> gaps_of(const ListedCapture& capture, const CaptureGroup& group, std::uint64_t longest) {
  std::vector<Gap> gaps;
  if (capture.uncounted > 0) return gaps;
  std::vector<const SpoolEntry*> entries;
  for (const auto& file : capture.files) {
    if (file.entry.packets > 0) entries.push_back(&file.entry);
  }
  std::ranges::sort(entries, {}, &SpoolEntry::first);
  Timestamp covered;
  for (const auto* entry : entries) {
    const bool gap = covered != Timestamp{} && entry->first > covered && entry->first.ns - covered.ns > longest;
    if (gap && captured_throughout(group, covered, entry->first))
      gaps.push_back({covered, entry->first, group.losses(covered, entry->first)});
    covered = std::max(covered, entry->last);
  }
  return gaps;
}

State state_of(const CaptureGroup& group) {
  if (group.start == Timestamp{}) return State::unknown;
  if (group.final) return State::ended;
  const bool open = std::ranges::any_of(group.directories, [&group](const auto& directory) {
    return has_open_files(directory, group.stem, group.start);
  });
  return open ? State::running : State::cut_off;
}

ListedCapture list_capture(const CaptureGroup& group, const LsOptions& options, std::vector<std::string>& notices) {
  ListedCapture capture;
  capture.stem = group.stem;
  capture.start = group.start;
  capture.state = state_of(group);
  capture.directories = group.directories;
  if (group.final) capture.ended_by = group.final->ended_by;
  for (const auto* entry : group.files) {
    auto file = list_file(*entry, options, notices);
    if (file.counted) {
      file.losses = group.losses(file.entry.first, file.entry.last);
      file.clock = clock_of(file.entry, group);
    }
    count(capture, file);
    capture.files.push_back(std::move(file));
  }
  capture.gaps = gaps_of(capture, group, options.gap_ns);
  capture.losses = group.losses();
  capture.skipped_lines = group.skipped_lines;
  std::ranges::copy(group.plan_problems, std::back_inserter(notices));
  std::ranges::copy(group.ledger_problems, std::back_inserter(notices));
  if (const auto back = clock_set_back(group); !back.empty()) notices.push_back(group.name() + ": " + back);
  return capture;
}

std::vector<ListedDrive> drives_of(const std::vector<std::string>& places, const std::vector<ListedCapture>& captures) {
  std::set<std::string> directories;
  std::error_code unknown;
  for (const auto& place : places) {
    if (std::filesystem::is_directory(place, unknown)) directories.insert(place);
  }
  for (const auto& capture : captures) directories.insert(capture.directories.begin(), capture.directories.end());
  std::vector<ListedDrive> drives;
  for (const auto& path : directories) {
    const auto directory = storage::Directory::open(path);
    const auto file_system = directory ? storage::file_system_of(*directory) : std::unexpected(directory.error());
    drives.push_back({path, file_system ? std::optional(*file_system) : std::nullopt});
  }
  return drives;
}

// Files that were to be read (--scan) have notices of their own.
void tell_uncounted(LsReport& report) {
  std::uint64_t uncounted = 0;
  for (const auto& capture : report.captures) uncounted += capture.uncounted;
  uncounted += static_cast<std::uint64_t>(std::ranges::count(report.others, false, &ListedFile::counted));
  if (uncounted > 0) {
    report.notices.push_back(fmt::format(
        "{} files have no index and were not counted: --scan reads them, `wirespool index` makes one", uncounted));
  }
}

}  // namespace

double ListedFile::bits_per_s() const { return rate(entry.bytes, entry.first, entry.last); }
double ListedCapture::bits_per_s() const { return rate(bytes, first, last); }

std::expected<LsReport, Error> ls(const LsOptions& options) {
  const auto spool = Spool::open(options.places);
  if (!spool) return std::unexpected(spool.error());
  LsReport report;
  report.notices = spool->notices();
  for (const auto& problem : spool->problems()) report.notices.push_back(problem.message());
  for (const auto& group : group_by_capture(*spool))
    report.captures.push_back(list_capture(group, options, report.notices));
  report.drives = drives_of(options.places, report.captures);
  for (const auto& entry : spool->files()) {
    if (!entry.named) report.others.push_back(list_file(entry, options, report.notices));
  }
  for (const auto& path : files_left_behind(options.places)) {
    report.notices.push_back(path + ": a crash left it unsealed: `wirespool repair` makes a whole file of it");
  }
  if (!options.scan) tell_uncounted(report);
  return report;
}

}  // namespace wirespool::tools
