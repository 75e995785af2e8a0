// SPDX-License-Identifier: BSD-3-Clause
#include "unit/house/house_rules.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

namespace wirespool::test {
namespace fs = std::filesystem;

// Mirrors src/README.md, "Rooms"; check_table() sees to it.
const std::vector<Room>& rooms() {
  static const std::vector<Room> table = {
      {"include", {}, {"std"}},
      {"format", {"include"}, {"std"}, {"Linux", "fmt", "nlohmann/json"}},
      {"policy", {"include"}, {"std"}},
      {"stats", {"include", "format"}, {"std"}, {"fmt"}},
      {"flow", {"include", "format", "stats"}, {"std"}},
      {"storage", {"include", "policy/patience"}, {"std", "Linux", "liburing"}},
      {"view", {"include", "format", "stats", "storage"}, {"std"}, {"fmt"}},
      {"filter", {"include", "format"}, {"std", "libpcap"}},
      {"machine", {"include", "storage"}, {"std", "Linux"}, {"libcap-ng", "libseccomp", "liburing"}},
      {"read", {"include", "format", "filter", "storage"}, {"std"}},
      {"keep", {"include", "format", "policy", "storage"}, {"std"}},
      {"record", {"include", "format", "keep", "machine", "policy", "read/file_mark", "stats", "storage"}, {"std"}},
      {"options", {"include", "policy/retention"}, {"std"}, {"fmt"}},
      {"plan", {"include", "flow/flow_table", "format", "options", "policy"}, {"std"}, {"fmt", "nlohmann/json"}},
      {"tools",
       {"include", "format", "keep", "machine", "options", "policy", "read", "stats", "storage"},
       {"std"},
       {"Linux", "OpenSSL", "fmt", "nlohmann/json"}},
      {"serve",
       {"include", "format", "options", "stats", "storage", "tools"},
       {"std"},
       {"Linux", "OpenSSL", "cpp-httplib", "fmt", "nlohmann/json"}},
      {"doctor", {"include", "machine"}, {"std"}, {"fmt", "nlohmann/json"}},
      {"vf", {"include", "machine", "storage"}, {"std"}, {"Linux", "fmt", "nlohmann/json"}},
      {"traffic",
       {"include", "format", "options/values", "stats", "storage", "tools/pipe_inputs"},
       {"std", "Linux"},
       {"fmt", "nlohmann/json"}},
      {"dpdk",
       {"include", "filter/program", "format", "machine", "options/exit", "plan", "policy", "record/block",
        "record/packet_ref", "stats", "storage"},
       {"std", "DPDK"},
       {"Linux", "fmt"}},
      {"capture",
       {"include", "dpdk", "filter/program", "flow", "format", "machine", "options", "plan", "policy", "record",
        "serve", "stats", "storage", "view"},
       {"std", "DPDK"},
       {"Linux", "fmt"}},
      {"port_traffic", {"include", "dpdk", "format", "plan", "storage", "traffic"}, {"std", "DPDK"}, {"fmt"}},
      {"cli",
       {"include", "capture/session", "doctor", "dpdk/eal", "format/printable", "machine", "options", "plan",
        "port_traffic/over_ports", "serve/probe", "serve/spool_service", "stats/render", "tools", "traffic/request",
        "traffic/run", "vf", "view"},
       {"std", "CLI11", "fmt"}},
      {"main", {"cli"}, {"std"}},
  };
  return table;
}

namespace {

const Room* find_room(std::string_view name) {
  const auto found = std::ranges::find(rooms(), name, &Room::name);
  return found == rooms().end() ? nullptr : &*found;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

std::string where(const fs::path& path, std::size_t line) { return path.string() + ":" + std::to_string(line) + ": "; }

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// src/format/x.hpp -> format, include/wirespool/x.hpp -> include, src/main.cpp -> main.
std::string room_of(const fs::path& path) {
  const auto parts = std::vector<fs::path>(path.begin(), path.end());
  if (parts.front() == "include") return "include";
  return parts.size() > 2 ? parts[1].string() : parts.back().stem().string();
}

// "record/block.hpp" -> record, "wirespool/packet.hpp" -> include.
std::string room_of_include(std::string_view name) {
  const auto room = std::string(name.substr(0, name.find('/')));
  return room == "wirespool" ? "include" : room;
}

// What an #include <...> brings in, in the words of the table.
std::string outside_of(std::string_view name) {
  if (name.starts_with("rte_")) return "DPDK";
  if (name.starts_with("CLI/")) return "CLI11";
  if (name.starts_with("fmt/")) return "fmt";
  if (name.starts_with("nlohmann/")) return "nlohmann/json";
  if (name.starts_with("liburing")) return "liburing";
  if (name.starts_with("openssl/")) return "OpenSSL";
  if (name == "httplib.h") return "cpp-httplib";
  if (name == "seccomp.h") return "libseccomp";
  if (name == "cap-ng.h") return "libcap-ng";
  if (name == "pcap.h" || name.starts_with("pcap/")) return "libpcap";
  const bool standard = name.find_first_of("./") == std::string_view::npos;
  return standard ? "std" : "Linux";
}

bool arrow_allowed(const Room& from, std::string_view include) {
  const auto target = room_of_include(include);
  const auto header = std::string(include.substr(0, include.rfind('.')));
  return target == from.name || contains(from.may_include, target) || contains(from.may_include, header);
}

std::optional<std::string> wrong_quoted(const Room& room, std::string_view include) {
  const auto target = room_of_include(include);
  if (include.find('/') == std::string_view::npos || find_room(target) == nullptr)
    return "\"" + std::string(include) + "\" does not begin with a room";
  if (arrow_allowed(room, include)) return std::nullopt;
  return room.name + " may not include " + target + " (\"" + std::string(include) + "\")";
}

std::optional<std::string> wrong_angled(const Room& room, std::string_view include, bool is_cpp) {
  const auto library = outside_of(include);
  if (contains(room.outside, library)) return std::nullopt;
  const bool cpp_only = contains(room.outside_cpp, library);
  if (cpp_only && is_cpp) return std::nullopt;
  return room.name + " may not include " + library + (cpp_only ? " in a header" : "") + " (<" + std::string(include) +
         ">)";
}

}  // namespace

Findings check_includes(const fs::path& path, std::string_view text) {
  static const std::regex include_line(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  const auto* room = find_room(room_of(path));
  if (room == nullptr) return {path.string() + ": '" + room_of(path) + "' is not a room of the table"};
  Findings findings;
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(lines[i], match, include_line)) continue;
    const auto wrong = match[1] == "\"" ? wrong_quoted(*room, match[2].str())
                                        : wrong_angled(*room, match[2].str(), path.extension() == ".cpp");
    if (wrong) findings.push_back(where(path, i + 1) + *wrong);
  }
  return findings;
}

Findings check_header_lines(const fs::path& path, std::string_view text) {
  const auto lines = lines_of(text);
  const bool script = !lines.empty() && lines[0].starts_with("#!");
  const std::size_t first = script ? 1 : 0;
  Findings findings;
  if (lines.size() <= first || !lines[first].ends_with("SPDX-License-Identifier: BSD-3-Clause"))
    findings.push_back(where(path, first + 1) + "no SPDX line");
  if (path.extension() == ".hpp" && !contains(lines, "#pragma once"))
    findings.push_back(where(path, 2) + "no #pragma once");
  return findings;
}

Findings check_no_machine_names(const fs::path& path, std::string_view text, std::string_view host_name) {
  // Home directories, and where package archives are: both differ from machine to machine.
  static const std::regex machine_names(
      R"((^|[\s"'=:(])/(home|root|work|Users)/\w|://(deb|archive|ports|security|mirrors?)\.|\bmirror\.[a-z])");
  Findings findings;
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(lines[i], match, machine_names))
      findings.push_back(where(path, i + 1) + "names a machine: '" + match.str() + "'");
    if (host_name.size() > 8 && lines[i].find(host_name) != std::string::npos)
      findings.push_back(where(path, i + 1) + "names this machine");
  }
  return findings;
}

namespace {

std::string trim(std::string text) {
  text.erase(0, text.find_first_not_of(" \t"));
  text.erase(text.find_last_not_of(" \t") + 1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(trim(part));
  return parts;
}

struct ReadmeRow {
  std::vector<std::string> may_include;
  std::string outside;
};

// The rows under "| room | may include | outside headers |", one entry a room.
std::map<std::string, ReadmeRow> readme_rows(std::string_view readme) {
  std::map<std::string, ReadmeRow> rows;
  bool inside = false;
  for (const auto& line : lines_of(readme)) {
    if (line.starts_with("| room | may include |")) inside = true;
    if (!line.starts_with("|")) inside = false;
    const auto cells = split(line, '|');
    if (!inside || cells.size() < 4 || cells[1] == "room" || cells[1].starts_with("-")) continue;
    const auto may_include = cells[2] == "-" ? std::vector<std::string>{} : split(cells[2], ',');
    for (const auto& room : split(cells[1], ','))
      rows[room == "include/wirespool" ? "include" : room] = {may_include, cells[3]};
  }
  return rows;
}

Findings compare_row(const Room& room, const ReadmeRow& row) {
  static const std::vector<std::string> libraries = {"Linux", "liburing", "libpcap", "libcap-ng",     "libseccomp",
                                                     "DPDK",  "CLI11",    "fmt",     "nlohmann/json", "cpp-httplib"};
  Findings findings;
  if (room.may_include != row.may_include)
    findings.push_back("src/README.md: other rooms for " + room.name + " than in the test");
  for (const auto& library : libraries) {
    const bool here = contains(room.outside, library) || contains(room.outside_cpp, library);
    const bool there = row.outside.find(library) != std::string::npos;
    if (here != there) findings.push_back("src/README.md: " + library + " for " + room.name + " is not as in the test");
  }
  return findings;
}

}  // namespace

Findings check_table(std::string_view readme) {
  auto rows = readme_rows(readme);
  Findings findings;
  for (const auto& room : rooms()) {
    if (room.name == "main") continue;
    const auto row = rows.find(room.name);
    if (row == rows.end()) {
      findings.push_back("src/README.md: no row for " + room.name);
      continue;
    }
    std::ranges::copy(compare_row(room, row->second), std::back_inserter(findings));
    rows.erase(row);
  }
  for (const auto& [name, row] : rows) findings.push_back("src/README.md: a row for " + name + ", not in the test");
  return findings;
}

std::vector<fs::path> project_files(const fs::path& root) {
  static const std::vector<std::string> folders = {"src", "include", "tests", "bench", "config", ".ci"};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_regular_file() && entry.path().filename() != ".git")  // a file in a git worktree
      files.push_back(entry.path().lexically_relative(root));
  for (const auto& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(root));
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace wirespool::test
