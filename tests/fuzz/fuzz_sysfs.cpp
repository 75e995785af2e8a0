// SPDX-License-Identifier: BSD-3-Clause
// What a kernel shows in small files, as doctor reads it. The input makes a /sys and /proc of its own: a line "=PATH"
// begins a file, the lines after it are what is in it; a line "@PATH TARGET" is a symbolic link.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "doctor/doctor.hpp"
#include "fuzz/check.hpp"
#include "machine/machine_tree.hpp"
#include "support/temp_dir.hpp"

using wirespool::fuzz::check;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 200;

// Below `root`, by whatever the name says; "" if it is not.
fs::path below(const fs::path& root, const fs::path& name) {
  const auto clean = name.lexically_normal();
  if (clean.empty() || clean.is_absolute() || *clean.begin() == ".." || clean == "." || !clean.has_filename())
    return {};
  return root / clean;
}

bool make_room_for(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  return !error && !fs::exists(fs::symlink_status(path));
}

void make_link(const fs::path& root, const std::string& words) {
  const auto space = words.find(' ');
  if (space == std::string::npos) return;
  const fs::path name = words.substr(0, space), target = words.substr(space + 1);
  // It leads to what is in this tree, or nowhere.
  if (target.is_absolute() || below(root, name.parent_path() / target).empty()) return;
  const auto path = below(root, name);
  std::error_code error;
  if (!path.empty() && make_room_for(path)) fs::create_symlink(target, path, error);
}

void make_tree(const fs::path& root, std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::ofstream file;
  std::size_t files = 0;
  for (std::string line; std::getline(lines, line) && files < most_files;) {
    if (line.starts_with('@')) {
      if (line.find('\0') == std::string::npos) make_link(root, line.substr(1));
    } else if (!line.starts_with('=')) {
      if (file.is_open()) file << line << '\n';
    } else {
      file = std::ofstream();
      ++files;
      const auto path = line.find('\0') == std::string::npos ? below(root, line.substr(1)) : fs::path();
      if (!path.empty() && make_room_for(path)) file.open(path);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Thousands of small files: in memory, where there is a place for that.
  static const bool in_memory = ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 1) == 0;
  (void)in_memory;
  const wirespool::test::TempDir root;
  make_tree(root.path(), wirespool::fuzz::text_of(data, size));
  const auto report = wirespool::doctor::doctor(wirespool::machine::MachineTree(root.path()), {});
  for (const auto& finding : report.findings) {
    check(!finding.topic.empty() && !finding.text.empty(), "a finding says what it is about");
    check(finding.level == wirespool::doctor::Level::ok || !finding.fix.empty(), "what is not well can be mended");
  }
  check(!wirespool::doctor::render_table(report).empty(), "there is a table");
  check(!wirespool::doctor::render_json(report).empty(), "there is JSON");
  return 0;
}
