// SPDX-License-Identifier: BSD-3-Clause
// `wirespool manifest`, the program as it is run, against sha256sum and capinfos.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "format/file_name.hpp"
#include "format/retention_files.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/ledger_samples.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

// A capture over two drives that has ended, with all that belongs to it.
struct Rig {
  TempDir directory;
  Layout layout;
  std::vector<std::string> pcaps;
  fs::path kept = directory / "kept.sha256";

  explicit Rig(const std::string& first_drive = "a") {
    layout.directories = {directory / first_drive, directory / "b"};
    layout.streams = 1;
    for (const auto& path : layout.directories) fs::create_directory(path);
    const auto trace = make_trace({.packets = 1000});
    pcaps = lay_out(trace, layout);
    for (const auto& path : layout.directories) {
      write_text(path / format::capture_file_name("t", Timestamp{1}), capture_json({.drives = 2}, "null"));
      write_text(path / format::ledger_file_name("t", Timestamp{1}), "");
    }
    write_text(pcaps[0] + ".cut", "what belongs to no record");
    write_text(layout.directories[0] / "notes.txt", "not of the capture");
  }

  ProcessResult manifest(const std::string& redirection = "") const {
    std::string command = std::string(std::getenv("WIRESPOOL")) + " manifest \"$@\" " + redirection;
    Command words{"sh", "-c", command, "sh"};
    for (const auto& path : layout.directories) words.push_back(path.string());
    return run_process(words);
  }
  ProcessResult check() const { return run_process({"sha256sum", "--check", "--strict", kept.string()}); }

  // Files of the capture, each with its ending.
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& path : layout.directories)
      for (const auto& entry : fs::directory_iterator(path)) count += entry.path().filename() != "notes.txt";
    return count;
  }
};

}  // namespace

TEST_CASE("sha256sum agrees with every line of a manifest, and it has every file of the capture") {
  const Rig rig;
  const auto manifest = rig.manifest();
  INFO(manifest.describe());
  REQUIRE(manifest.exit_code == 0);
  write_text(rig.kept, manifest.out);
  const auto checked = rig.check();
  INFO(checked.describe());
  CHECK(checked.exit_code == 0);
  CHECK(lines_of(checked.out).size() == rig.files());
  auto lines = lines_of(manifest.out);
  const auto last = lines.back();
  lines.pop_back();
  CHECK(std::ranges::is_sorted(lines, {}, [](const auto& line) { return line.substr(66); }));
  const auto all = run_process({"sh", "-c", "grep -v '^#' \"$1\" | sha256sum", "sh", rig.kept.string()});
  CHECK(last == "# all: " + all.out.substr(0, 64));
}

TEST_CASE("capinfos has the same SHA-256 of a file") {
  if (!have_program("capinfos")) return skip("capinfos", "it is not installed");
  const Rig rig;
  const auto opinion = run_process({"capinfos", "-H", "-T", "-r", rig.pcaps[1]});
  INFO(opinion.describe());
  const auto lines = lines_of(rig.manifest().out);
  const auto line = std::ranges::find_if(lines, [&](const auto& text) { return text.ends_with("  " + rig.pcaps[1]); });
  REQUIRE(line != lines.end());
  CHECK(opinion.out.find(line->substr(0, 64)) != std::string::npos);
}

TEST_CASE("a byte changed in any file is found by sha256sum, and a changed line by the last one") {
  const Rig rig;
  write_text(rig.kept, rig.manifest().out);
  for (const auto& path : rig.layout.directories) {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().filename() == "notes.txt" || fs::file_size(entry.path()) == 0) continue;
      const auto good = read_bytes(entry.path());
      auto changed = good;
      changed[good.size() / 2] ^= std::byte{1};
      write_bytes(entry.path(), changed);
      CHECK(rig.check().exit_code == 1);
      write_bytes(entry.path(), good);
    }
  }
  CHECK(rig.check().exit_code == 0);
  CHECK(rig.manifest().out == std::string([&] {
          std::ifstream file(rig.kept);
          return std::string(std::istreambuf_iterator<char>(file), {});
        }()));
}

TEST_CASE("names that sha256sum escapes are escaped as it does") {
  const Rig rig("new\nline \\ and  spaces");
  write_text(rig.kept, rig.manifest().out);
  const auto checked = rig.check();
  INFO(checked.describe());
  CHECK(checked.exit_code == 0);
  CHECK(lines_of(checked.out).size() == rig.files());
}

TEST_CASE("a file that cannot be read is told, has no line, and makes the exit code 1") {
  const Rig rig;
  const auto name = format::format_file_name({"t", Timestamp{1'700'000'000'000'000'000}, 7, 0});
  fs::create_symlink("nowhere", rig.layout.directories[0] / name);
  const auto manifest = rig.manifest();
  INFO(manifest.describe());
  CHECK(manifest.exit_code == 1);
  CHECK(manifest.err.find(name) != std::string::npos);
  CHECK(manifest.out.find("# not read: ") != std::string::npos);
  write_text(rig.kept, manifest.out);
  CHECK(rig.check().exit_code == 0);
}

TEST_CASE("an archive that is not there is told, and makes the exit code 1") {
  const Rig rig;
  const auto place = (rig.directory / "archive" / "t-19700101T000000.000000001Z" / "a").string();
  write_text(rig.layout.directories[0] / format::archived_file_name("t", Timestamp{1}),
             format::encode_archived({.directories = {place}}));
  const auto manifest = rig.manifest();
  INFO(manifest.describe());
  CHECK(manifest.exit_code == 1);
  CHECK(manifest.err.find("mount the archive") != std::string::npos);
}

TEST_CASE("what a crash left unsealed is named as left out") {
  const Rig rig;
  const auto name = format::hidden_file_name({"t", Timestamp{1}, 0, 9});
  write_text(rig.layout.directories[1] / name, "x");
  const auto manifest = rig.manifest();
  CHECK(manifest.exit_code == 0);
  CHECK(manifest.err.find(name + ": a crash left it unsealed") != std::string::npos);
  CHECK(manifest.out.find("# left out: ") != std::string::npos);
}

TEST_CASE("a manifest that cannot be written is never exit code 0") {
  const Rig rig;
  CHECK(rig.manifest("> /dev/full").exit_code == 2);
  CHECK(rig.manifest(">&-").exit_code != 0);
}
