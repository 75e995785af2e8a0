// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/commands.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

// What is written about options comes from their tables, and other programs understand it.
using namespace wirespool::test;
using namespace wirespool::cli;
using Catch::Contains;
namespace fs = std::filesystem;
using Line = std::vector<std::string>;  // of a command

namespace {

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string printed(Line args) {
  const char* path = std::getenv("WIRESPOOL");
  REQUIRE(path != nullptr);
  args.insert(args.begin(), path);
  const auto result = run_process(args);
  INFO(result.describe());
  REQUIRE(result.exit_code == 0);
  return result.out;
}

// What the build made; none if it could not run its own program.
fs::path built(const std::string& name) {
  const char* folder = std::getenv("WIRESPOOL_DOCUMENTS");
  REQUIRE(folder != nullptr);
  return fs::path(folder) / name;
}

std::string lines_without(const std::string& text, const std::string& part) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) == std::string::npos) rest += line + "\n";
  }
  return rest;
}

std::vector<std::string> names_of_pages() {
  std::vector<std::string> names{"wirespool.1"};
  for (const auto& command : commands()) names.push_back("wirespool-" + std::string(command.name) + ".1");
  return names;
}

// Between README's two marks.
std::string block_of_readme() {
  const auto text = read(fs::path(WIRESPOOL_SOURCE_ROOT) / "README.md");
  const std::string start = "<!-- wirespool manual --format markdown -->\n", end = "<!-- as printed -->\n";
  const auto from = text.find(start), to = text.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  return text.substr(from + start.size(), to - from - start.size());
}

// What bash offers for `words`, the last of which is being typed.
std::string offered_by_bash(const std::vector<std::string>& words) {
  const TempDir directory;
  const auto script = directory / "completion.bash";
  std::ofstream(script) << printed({"completion", "bash"});
  std::string code =
      "compopt() { :; }; . \"$1\"; shift; COMP_WORDS=(wirespool \"$@\"); COMP_CWORD=$#; _wirespool; "
      "echo \"${COMPREPLY[*]}\"";
  Line command{"bash", "--norc", "-c", code, "bash", script.string()};
  command.insert(command.end(), words.begin(), words.end());
  const auto result = run_process(command);
  CHECK(result.err.empty());
  CHECK(result.exit_code == 0);
  return result.out;
}

// Every long option of a page, in a text.
void check_names_all_options(const std::string& text, const wirespool::options::Page& page, const std::string& dash) {
  for (const auto& option : page.options) {
    auto name = option.name;
    for (std::size_t at = 0; dash != "-" && (at = name.find('-', at)) != std::string::npos; at += dash.size()) {
      name.replace(at, 1, dash);
    }
    CAPTURE(page.command, name);
    CHECK(text.find(name) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("README's tables of options are those the program prints (else: tests/refresh-readme.sh)") {
  CHECK(block_of_readme() == printed({"manual", "--format", "markdown"}));
}

TEST_CASE("every command has the man page that the program prints, with all its options") {
  if (!fs::exists(built("wirespool.1"))) return skip("built man pages", "the build cannot run its own program");
  CHECK(read(built("wirespool.1")) == printed({"manual"}));
  for (const auto& command : commands()) {
    const auto page = read(built("wirespool-" + std::string(command.name) + ".1"));
    CHECK(page == printed({"manual", std::string(command.name)}));
    for (const auto& about : command.pages()) check_names_all_options(page, about, "\\-");
  }
}

TEST_CASE("man finds nothing to warn of in the man pages") {
  if (!fs::exists(built("wirespool.1"))) return skip("built man pages", "the build cannot run its own program");
  const std::vector<Line> readers = {{"man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"},
                                     {"groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-Z"},
                                     {"mandoc", "-Tlint", "-Wwarning"}};
  for (const auto& reader : readers) {
    if (!have_program(reader.front())) {
      skip("man pages by " + reader.front(), "it is not installed");
      continue;
    }
    auto command = reader;
    for (const auto& name : names_of_pages()) command.push_back(built(name).string());
    const auto result = run_process(command);
    INFO(result.describe());
    CHECK(result.err.empty());
    // mandoc's opinion is what it prints. A page that is made with every build has no date.
    if (reader.front() != "mandoc") {
      CHECK(result.exit_code == 0);
    } else {
      CHECK(lines_without(result.out, "missing date").empty());
    }
  }
}

TEST_CASE("bash completes commands, options and the words they take") {
  if (!have_program("bash")) return skip("completion by bash", "it is not installed");
  CHECK(offered_by_bash({"cap"}) == "capture\n");
  CHECK(offered_by_bash({"capture", "--unt"}) == "--until\n");
  CHECK(offered_by_bash({"capture", "--until", ""}) == "rx handoff block disk\n");
  CHECK(offered_by_bash({"capture", "-l", "0-2", "--", "--rx-q"}) == "--rx-queues\n");
  CHECK(offered_by_bash({"capture", "--io", "=", "ur"}) == "uring\n");
  CHECK(offered_by_bash({"capture", "--io", "="}) == "uring pwrite\n");
  CHECK(offered_by_bash({"vf", "tr"}) == "trust\n");
  CHECK(offered_by_bash({"vf", "trust", "--spoofchk", ""}) == "on off\n");
  CHECK(offered_by_bash({"completion", "z"}) == "zsh\n");
  CHECK(offered_by_bash({"nonsense", "--"}) == "\n");
}

TEST_CASE("bash completes directories where directories are wanted, whatever they are called") {
  if (!have_program("bash")) return skip("completion by bash", "it is not installed");
  const TempDir directory;
  fs::create_directory(directory / "my data");
  std::ofstream(directory / "my file") << "x";
  const auto start = (directory / "my").string();
  CHECK(offered_by_bash({"capture", "--output", start}) == (directory / "my data").string() + "\n");
  CHECK_THAT(offered_by_bash({"verify", start}), Contains("my data") && Contains("my file"));
}

TEST_CASE("every option of every command is in every shell's completion") {
  const auto shell = GENERATE(as<std::string>{}, "bash", "zsh");
  const auto script = printed({"completion", shell});
  for (const auto& command : commands()) {
    for (auto page : command.pages()) {
      std::erase_if(page.options, [](const auto& option) { return option.is_operand(); });
      check_names_all_options(script, page, "-");
    }
  }
}

TEST_CASE("the shells find no mistake in their completion") {
  const TempDir directory;
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    if (!have_program(shell)) {
      skip(std::string("completion by ") + shell, "it is not installed");
      continue;
    }
    const auto script = directory / shell;
    std::ofstream(script) << printed({"completion", shell});
    const auto result = run_process({shell, "-n", script.string()});
    INFO(result.describe());
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
  }
}

TEST_CASE("zsh gives its completion what it understands") {
  if (!have_program("zsh")) return skip("completion by zsh", "it is not installed");
  const TempDir directory;
  const auto script = directory / "_wirespool";
  std::ofstream(script) << printed({"completion", "zsh"});
  const auto result = run_process({"zsh", "-f", "-c",
                                   "compdef() { :; }; _arguments() { print -rl -- \"$@\" }; . " + script.string() +
                                       "; words=(wirespool vf trust ''); CURRENT=4; _wirespool"});
  INFO(result.describe());
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Contains("--spoofchk=[drop frames it sends from other addresses]:on|off:(on off)\n"));
}

TEST_CASE("fish completes commands, options and the words they take") {
  if (!have_program("fish")) return skip("completion by fish", "it is not installed");
  const TempDir directory;
  const auto script = directory / "wirespool.fish";
  std::ofstream(script) << printed({"completion", "fish"});
  const auto offered = [&](const std::string& typed) {
    const auto result = run_process({"fish", "--no-config", "-c",
                                     "source " + script.string() + "; complete -C '" + typed +
                                         "' | string replace -r "
                                         "'\\t.*' ''"});
    CHECK(result.err.empty());
    return result.out;
  };
  CHECK(offered("wirespool capt") == "capture\n");
  CHECK(offered("wirespool capture --unt") == "--until\n");
  CHECK(offered("wirespool capture --io ur") == "uring\n");
  CHECK(offered("wirespool vf trust --spoofchk of") == "off\n");
}
