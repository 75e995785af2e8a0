// SPDX-License-Identifier: BSD-3-Clause
#include "tools/retain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "format/printable.hpp"
#include "keep/retainer.hpp"
#include "storage/named_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {
namespace {

using Json = nlohmann::ordered_json;

const char* word(policy::RetainReason why) {
  return why == policy::RetainReason::age ? "age" : why == policy::RetainReason::size ? "size" : "free";
}

// Directories held open, each once, however often and by whatever path it was named. By file system and then by inode,
// so that all who wait for the turns of several directories wait in the same order.
using Places = std::map<std::uint64_t, std::map<std::uint64_t, storage::Directory>>;

std::expected<Places, Error> open_all(const std::vector<std::string>& paths) {
  Places places;
  for (const auto& path : paths) {
    auto directory = storage::Directory::open(path);
    if (!directory) return std::unexpected(storage::as_error(directory.error(), "name output directories of captures"));
    const auto itself = storage::look_at(*directory, ".");
    if (!itself)
      return std::unexpected(Error{path, "it cannot be looked at", "see to the drive", Error::Kind::not_ready});
    places[itself->identity.device].try_emplace(itself->identity.inode, std::move(*directory));
  }
  return places;
}

void add(const keep::RetainPass& pass, RetainReport& report) {
  for (const auto& removed : pass.removed)
    report.removed.push_back({removed.directory->path_of(removed.file.name), removed.why, removed.file.room_bytes,
                              removed.file.packets, removed.file.last});
  for (const auto& left : pass.left) {
    report.left_files += left.files;
    report.left_bytes += left.bytes;
  }
  for (std::size_t i = 0; i < keep::holds; ++i) {
    report.held_files[i] += pass.held[i].files;
    report.held_bytes[i] += pass.held[i].bytes;
  }
  report.missing_bytes += pass.missing_bytes;
  report.problems.insert(report.problems.end(), pass.problems.begin(), pass.problems.end());
}

}  // namespace

std::expected<RetainReport, Error> retain(const RetainOptions& options) {
  const policy::RetainLimits limits{options.free, options.size, options.age_ns};
  if (!limits.any()) return std::unexpected(Error{"retain", "no limit is given", "give --free, --size or --age"});
  const auto places = open_all(options.directories);
  if (!places) return std::unexpected(places.error());
  RetainReport report{.dry_run = options.dry_run};
  const auto mode = options.dry_run ? keep::Retainer::Mode::dry_run : keep::Retainer::Mode::remove;
  for (const auto& [device, directories] : *places) {
    std::vector<const storage::Directory*> group;
    for (const auto& [inode, directory] : directories) group.push_back(&directory);
    keep::Retainer retainer(group, "", limits, Timestamp{});
    const auto pass = retainer.pass(time_now(), mode, storage::Directory::Turn::wait, {});
    if (!pass) return std::unexpected(pass.error());
    add(*pass, report);
  }
  return report;
}

std::string render_table(const RetainReport& report) {
  std::string text;
  std::uint64_t bytes = 0;
  for (const auto& file : report.removed) {
    bytes += file.room_bytes;
    text += fmt::format("{}: {}: {} bytes, {} packets, the last of {} ({})\n", format::printable(file.path),
                        report.dry_run ? "would go" : "removed", file.room_bytes, file.packets, rfc3339(file.last),
                        word(file.why));
  }
  for (std::size_t i = 1; i < keep::holds; ++i)
    if (report.held_files[i] != 0)
      text += fmt::format("{} files of {} bytes stay: {}\n", report.held_files[i], report.held_bytes[i],
                          to_string(static_cast<keep::Hold>(i)));
  for (const auto& problem : report.problems) text += format::printable(problem) + "\n";
  if (report.missing_bytes != 0)
    text +=
        fmt::format("{} bytes less than asked for are free, and nothing is left that may go\n", report.missing_bytes);
  return text + fmt::format("{} files of {} bytes {}, {} of {} bytes left\n", report.removed.size(), bytes,
                            report.dry_run ? "would go" : "removed", report.left_files, report.left_bytes);
}

std::string render_json(const RetainReport& report) {
  Json json = {{"dry_run", report.dry_run}, {"removed", Json::array()}};
  for (const auto& file : report.removed)
    json["removed"].push_back({{"path", file.path},
                               {"why", word(file.why)},
                               {"room_bytes", file.room_bytes},
                               {"packets", file.packets},
                               {"last", rfc3339(file.last)}});
  json["left_files"] = report.left_files;
  json["left_bytes"] = report.left_bytes;
  json["held"] = Json::object();
  constexpr std::array names{"none", "pinned", "on_seal", "age_unknown", "other_names"};
  for (std::size_t i = 1; i < keep::holds; ++i)
    json["held"][names[i]] = {{"files", report.held_files[i]}, {"bytes", report.held_bytes[i]}};
  json["missing_bytes"] = report.missing_bytes;
  json["problems"] = report.problems;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools
