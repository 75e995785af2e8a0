// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include "support/catch.hpp"
#include "unit/house/house_rules.hpp"

namespace fs = std::filesystem;
using namespace wirespool::test;

namespace {

const fs::path source_root = WIRESPOOL_SOURCE_ROOT;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(source_root / path, std::ios::binary).rdbuf();
  return text.str();
}

bool is_under(const fs::path& path, std::string_view folder) { return *path.begin() == folder; }

bool is_cpp(const fs::path& path) { return path.extension() == ".hpp" || path.extension() == ".cpp"; }

bool wants_spdx(const fs::path& path) {
  const auto extension = path.extension();
  return is_cpp(path) || extension == ".sh" || extension == ".py" || is_under(path, ".ci") || path == "meson.build";
}

std::string joined(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings) text += finding + "\n";
  return text;
}

// Applies `check` to every project file that `wanted` picks.
template <typename Wanted, typename Check>
Findings check_tree(Wanted wanted, Check check) {
  Findings all;
  for (const auto& path : project_files(source_root)) {
    if (!wanted(path)) continue;
    for (auto& finding : check(path, read(path))) all.push_back(std::move(finding));
  }
  return all;
}

}  // namespace

TEST_CASE("every arrow between rooms points down") {
  const auto wanted = [](const fs::path& path) {
    return is_cpp(path) && (is_under(path, "src") || is_under(path, "include"));
  };
  const auto findings = check_tree(wanted, check_includes);
  INFO(joined(findings));
  CHECK(findings.empty());
}

TEST_CASE("the walk finds the files it is there for") {
  const auto files = project_files(source_root);
  CHECK(std::ranges::find(files, fs::path("src/main.cpp")) != files.end());
  CHECK(std::ranges::find(files, fs::path("include/wirespool/packet.hpp")) != files.end());
  CHECK(std::ranges::find(files, fs::path("meson.build")) != files.end());
}

TEST_CASE("the table in src/README.md and the one in the test say the same") {
  const auto findings = check_table(read("src/README.md"));
  INFO(joined(findings));
  CHECK(findings.empty());
}

TEST_CASE("every room has a page that names each of its headers") {
  const auto headers = [](const fs::path& path) {
    return is_under(path, "src") && path.extension() == ".hpp" && path.parent_path() != "src";
  };
  const auto findings = check_tree(headers, [](const fs::path& path, const std::string&) {
    const auto page = path.parent_path() / "README.md";
    const auto text = read(page);
    if (text.empty()) return Findings{page.string() + ": there is none"};
    if (text.find(path.stem().string()) != std::string::npos) return Findings{};
    return Findings{page.string() + ": does not name " + path.filename().string()};
  });
  INFO(joined(findings));
  CHECK(findings.empty());
}

// A page that says one thing is easier to read than four that say a quarter each; a room that holds everything is none.
TEST_CASE("few files are stubs, and no room holds more than a sixth of the lines") {
  std::size_t files = 0, stubs = 0, lines = 0;
  std::map<fs::path, std::size_t> of_rooms;
  for (const auto& path : project_files(source_root)) {
    if (!is_cpp(path) || !(is_under(path, "src") || is_under(path, "include"))) continue;
    const auto text = read(path);
    const auto here = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    ++files;
    stubs += here <= 30;
    lines += here;
    of_rooms[path.parent_path()] += here;
  }
  CHECK(stubs * 8 <= files);
  for (const auto& [room, here] : of_rooms) {
    INFO(room.string() << " has " << here << " of " << lines << " lines");
    CHECK(here * 6 < lines);
  }
}

TEST_CASE("a capture sends nothing: none of its rooms names what could") {
  const auto of_a_capture = [](const fs::path& path) {
    const auto room = path.parent_path();
    return is_cpp(path) && (room == "src/capture" || room == "src/flow" || room == "src/record");
  };
  std::size_t seen = 0;
  const auto findings = check_tree(of_a_capture, [&seen](const fs::path& path, const std::string& text) {
    ++seen;
    for (const char* sender : {"rte_eth_tx_", "tx_queue.hpp"})
      if (text.find(sender) != std::string::npos) return Findings{path.string() + ": names " + sender};
    return Findings{};
  });
  INFO(joined(findings));
  CHECK(findings.empty());
  CHECK(seen > 30);
}

TEST_CASE("every file has its SPDX line and every header #pragma once") {
  const auto findings = check_tree(wants_spdx, check_header_lines);
  INFO(joined(findings));
  CHECK(findings.empty());
}

TEST_CASE("no file names a machine") {
  std::array<char, 256> host_name{};
  gethostname(host_name.data(), host_name.size() - 1);
  const auto findings = check_tree([](const fs::path&) { return true; },
                                   [&](const fs::path& path, const std::string& text) {
                                     return check_no_machine_names(path, text, host_name.data());
                                   });
  INFO(joined(findings));
  CHECK(findings.empty());
}

TEST_CASE("an arrow that points up is named with its line") {
  const auto findings = check_includes("src/format/pcap.hpp", "#pragma once\n#include \"record/block.hpp\"\n");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0] == "src/format/pcap.hpp:2: format may not include record (\"record/block.hpp\")");
}

TEST_CASE("arrows that point up are seen in every room") {
  CHECK(check_includes("src/plan/plan.cpp", "#include \"capture/session.hpp\"").size() == 1);
  CHECK(check_includes("src/storage/drive.cpp", "#include \"format/pcap.hpp\"").size() == 1);
  CHECK(check_includes("src/capture/session.cpp", "#include \"tools/verify.hpp\"").size() == 1);
  CHECK(check_includes("include/wirespool/spool.hpp", "#include \"format/pcap.hpp\"").size() == 1);
  CHECK(check_includes("src/main.cpp", "#include \"plan/machine.hpp\"").size() == 1);
}

TEST_CASE("the command line sees one header of capture and no other") {
  CHECK(check_includes("src/cli/capture.cpp", "#include \"capture/session.hpp\"").empty());
  CHECK(check_includes("src/cli/capture.cpp", "#include \"stats/render.hpp\"").empty());
  CHECK(check_includes("src/cli/capture.cpp", "#include \"capture/port.hpp\"").size() == 1);
}

TEST_CASE("an outside header in the wrong room is named") {
  CHECK(check_includes("src/record/appender.cpp", "#include <rte_mbuf.h>") ==
        Findings{"src/record/appender.cpp:1: record may not include DPDK (<rte_mbuf.h>)"});
  CHECK(check_includes("src/tools/ls.cpp", "  #  include <CLI/CLI.hpp>").size() == 1);
  CHECK(check_includes("src/capture/eal.cpp", "#include <liburing.h>").size() == 1);
  CHECK(check_includes("src/cli/cli.cpp", "#include <pcap/pcap.h>").size() == 1);
  CHECK(check_includes("include/wirespool/packet.hpp", "#include <fmt/format.h>").size() == 1);
  CHECK(check_includes("src/policy/striping.cpp", "#include <unistd.h>").size() == 1);
}

TEST_CASE("fmt and nlohmann/json stay out of headers") {
  CHECK(check_includes("src/format/ledger_line.cpp", "#include <fmt/format.h>\n#include <nlohmann/json.hpp>").empty());
  CHECK(check_includes("src/stats/render.hpp", "#include <fmt/format.h>") ==
        Findings{"src/stats/render.hpp:1: stats may not include fmt in a header (<fmt/format.h>)"});
}

TEST_CASE("an include that does not begin with a room is named") {
  CHECK(check_includes("src/format/pcap.cpp", "#include \"pcap.hpp\"").size() == 1);
  CHECK(check_includes("src/format/pcap.cpp", "#include \"../record/block.hpp\"").size() == 1);
}

TEST_CASE("a folder that is not a room is named") {
  CHECK(check_includes("src/core/engine.cpp", "") ==
        Findings{"src/core/engine.cpp: 'core' is not a room of the table"});
}

TEST_CASE("a file without its SPDX line or #pragma once is named") {
  CHECK(check_header_lines("src/format/pcap.hpp", "namespace x {}\n").size() == 2);
  CHECK(check_header_lines("tests/run.sh", "#!/bin/sh\n# SPDX-License-Identifier: BSD-3-Clause\n").empty());
  CHECK(check_header_lines("tests/run.sh", "#!/bin/sh\n").size() == 1);
}

TEST_CASE("a machine's own name or path is named") {
  CHECK(check_no_machine_names("a.md",
                               "see /"
                               "home/somebody/x",
                               "")
            .size() == 1);
  CHECK(check_no_machine_names("a.sh",
                               "deb http://"
                               "deb.example.org/debian x main",
                               "")
            .size() == 1);
  CHECK(check_no_machine_names("a.sh", "built on capture-host-7", "capture-host-7").size() == 1);
  CHECK(check_no_machine_names("a.md", "--output /data/nvme0, see /proc/sys/vm", "capture-host-7").empty());
}

TEST_CASE("a README table that says something else than the test is named") {
  const std::string head = "| room | may include | outside headers |\n|---|---|---|\n";
  CHECK_FALSE(check_table(head + "| format | include, spool | std; fmt, nlohmann/json in .cpp |\n").empty());
  CHECK_FALSE(check_table("").empty());
}
