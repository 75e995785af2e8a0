// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "format/printable.hpp"
#include "tools/repair.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

using Outcome = RepairedFile::Outcome;
using Json = nlohmann::ordered_json;

namespace {

std::string headline(const RepairedFile& file, bool dry_run) {
  switch (file.outcome) {
    case Outcome::sealed:
      return dry_run ? "would be sealed" : "sealed";
    case Outcome::removed:
      return dry_run ? "would be removed: no packet was captured into it" : "removed: no packet was captured into it";
    case Outcome::in_use:
      return "left alone: its capture is running";
    case Outcome::unreadable:
      return "left as it is: it holds bytes, but no whole packet";
    case Outcome::failed:
      return "failed: " + format::printable(file.why);
  }
  return file.why;
}

const char* word(Outcome outcome) {
  switch (outcome) {
    case Outcome::sealed:
      return "sealed";
    case Outcome::removed:
      return "removed";
    case Outcome::in_use:
      return "in_use";
    case Outcome::unreadable:
      return "unreadable";
    case Outcome::failed:
      return "failed";
  }
  return "failed";
}

Json json_of(const RescuedFile& file) {
  return {{"name", file.name},
          {"packets", file.packets},
          {"bytes", file.bytes},
          {"first", rfc3339(file.first)},
          {"last", rfc3339(file.last)}};
}

Json json_of(const RepairedFile& file) {
  Json json = {{"hidden_name", file.hidden_name}, {"outcome", word(file.outcome)}};
  if (!file.why.empty()) json["why"] = file.why;
  json["files"] = Json::array();
  for (const auto& rescued : file.files) json["files"].push_back(json_of(rescued));
  json["skipped_bytes"] = file.skipped_bytes;
  json["skipped_places"] = file.skipped_places;
  if (!file.kept_in.empty()) json["kept_in"] = file.kept_in;
  if (!file.marker_problem.empty()) json["marker_problem"] = file.marker_problem;
  if (!file.index_problem.empty()) json["index_problem"] = file.index_problem;
  return json;
}

}  // namespace

std::string render_table(const RepairReport& report) {
  std::string text;
  std::size_t hidden = 0;
  for (const auto& directory : report.directories) {
    for (const auto& file : directory.files) {
      ++hidden;
      text += fmt::format("{}/{}: {}\n", format::printable(directory.directory), format::printable(file.hidden_name),
                          headline(file, report.dry_run));
      for (const auto& rescued : file.files) {
        text += fmt::format("  {}: {} packets, {} bytes, {} to {}\n", format::printable(rescued.name), rescued.packets,
                            rescued.bytes, rfc3339(rescued.first), rfc3339(rescued.last));
      }
      if (file.skipped_bytes > 0) {
        text += fmt::format(
            "  {} bytes in {} places belong to no whole packet{}\n", file.skipped_bytes, file.skipped_places,
            file.kept_in.empty()
                ? ""
                : (report.dry_run ? ": would be kept in " : ": kept in ") + format::printable(file.kept_in));
      }
      if (!file.marker_problem.empty())
        text += fmt::format("  --on-seal will not be run for it: {}\n", format::printable(file.marker_problem));
      if (!file.index_problem.empty())
        text += fmt::format("  it has no index: {}\n", format::printable(file.index_problem));
    }
    for (const auto& notice : directory.notices)
      text += fmt::format("{}: {}\n", format::printable(directory.directory), format::printable(notice));
  }
  if (hidden == 0) text += "no unsealed files: nothing to repair\n";
  return text;
}

std::string render_json(const RepairReport& report) {
  Json json = {{"dry_run", report.dry_run}, {"directories", Json::array()}};
  for (const auto& directory : report.directories) {
    Json files = Json::array();
    for (const auto& file : directory.files) files.push_back(json_of(file));
    json["directories"].push_back(
        {{"directory", directory.directory}, {"files", std::move(files)}, {"notices", directory.notices}});
  }
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools
