// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "format/printable.hpp"
#include "tools/verify.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {
namespace {

using Json = nlohmann::ordered_json;

void add_lines(std::string& text, const std::string& name, const std::vector<std::string>& lines, const char* kind) {
  for (const auto& line : lines)
    text += fmt::format("{}: {}{}\n", format::printable(name), kind, format::printable(line));
}

Json json_of(const FileVerdict& file) {
  Json json = {{"path", file.path}, {"file_bytes", file.file_bytes}, {"packets", file.packets}, {"bytes", file.bytes}};
  json["first"] = file.packets == 0 ? Json(nullptr) : Json(rfc3339(file.first));
  json["last"] = file.packets == 0 ? Json(nullptr) : Json(rfc3339(file.last));
  json["blocks_without_checksum"] = file.blocks_without_checksum;
  json["problems"] = file.problems;
  json["notices"] = file.notices;
  return json;
}

}  // namespace

std::string render_table(const VerifyReport& report) {
  std::string text;
  std::uint64_t packets = 0, bytes = 0;
  for (const auto& file : report.files) {
    add_lines(text, file.path, file.problems, "");
    add_lines(text, file.path, file.notices, "note: ");
    packets += file.packets;
    bytes += file.file_bytes;
  }
  for (const auto& capture : report.captures) {
    add_lines(text, "capture " + capture.name, capture.problems, "");
    add_lines(text, "capture " + capture.name, capture.notices, "note: ");
  }
  for (const auto& problem : report.problems) text += format::printable(problem) + "\n";
  for (const auto& notice : report.notices) text += "note: " + format::printable(notice) + "\n";
  const auto rate = report.seconds > 0 ? static_cast<double>(bytes) / report.seconds / 1e9 : 0.0;
  text += fmt::format("{} files, {} packets, {} bytes read in {:.1f} s ({:.2f} GB/s): {}\n", report.files.size(),
                      packets, bytes, report.seconds, rate,
                      report.problem_count() == 0 ? "all is well" : fmt::format("{} problems", report.problem_count()));
  return text;
}

std::string render_json(const VerifyReport& report) {
  Json json;
  json["files"] = Json::array();
  for (const auto& file : report.files) json["files"].push_back(json_of(file));
  json["captures"] = Json::array();
  for (const auto& capture : report.captures) {
    json["captures"].push_back({{"name", capture.name},
                                {"problems", capture.problems},
                                {"notices", capture.notices},
                                {"skipped_ledger_lines", capture.skipped_lines}});
  }
  json["problems"] = report.problems;
  json["notices"] = report.notices;
  json["problem_count"] = report.problem_count();
  json["seconds"] = report.seconds;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools
