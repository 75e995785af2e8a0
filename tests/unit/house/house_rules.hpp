// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::test {

// A row of the table in src/README.md.
struct Room {
  std::string name;                           // "spool"; "include" is include/wirespool, "main" is src/main.cpp
  std::vector<std::string> may_include;       // rooms, or one header of a room: "stats/render"
  std::vector<std::string> outside;           // allowed everywhere in the room: "std", "Linux", "DPDK", ...
  std::vector<std::string> outside_cpp = {};  // allowed in its .cpp files only
};

const std::vector<Room>& rooms();

// What is wrong, where: "src/format/x.hpp:7: format may not include stats (\"stats/ledger.hpp\")".
using Findings = std::vector<std::string>;

// `path` is relative to the source tree, `text` is what is in it.
Findings check_includes(const std::filesystem::path& path, std::string_view text);
Findings check_header_lines(const std::filesystem::path& path, std::string_view text);  // SPDX line, #pragma once
Findings check_no_machine_names(const std::filesystem::path& path, std::string_view text, std::string_view host_name);

// Compares rooms() with the table in the text of src/README.md.
Findings check_table(std::string_view readme);

// All files of the project under `root`, build directories left out; relative to `root`.
std::vector<std::filesystem::path> project_files(const std::filesystem::path& root);

}  // namespace wirespool::test
