// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/capture_options.hpp"
#include "plan/capture_plan.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::test;
using namespace wirespool::cli;
using Catch::Contains;

namespace {

ProcessResult run(const Command& args) {
  const char* path = std::getenv("WIRESPOOL");
  REQUIRE(path != nullptr);
  Command command{path};
  command.insert(command.end(), args.begin(), args.end());
  return run_process(command);
}

}  // namespace

TEST_CASE("doctor says the same to people, to programs and by its exit code") {
  const TempDir directory;
  const auto table = run({"doctor", directory.str()});
  const auto report = run({"doctor", "--json", directory.str()});
  CHECK(table.exit_code == report.exit_code);
  CHECK_THAT(table.out, Contains(" must fix\n"));
  const auto json = nlohmann::json::parse(report.out);
  CHECK(json["ready"] == (report.exit_code == 0));
  CHECK(json["facts"]["directories"][0]["path"] == directory.str());
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("doctor's exit code says that something must be fixed") {
  const auto result = run({"doctor", "/nonexistent"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.out, Contains("mkdir -p /nonexistent"));
}

TEST_CASE("disk-bench measures, compares with a rate and leaves nothing") {
  const TempDir directory;
  const auto result = run({"disk-bench", directory.str(), "--block-size", "64KiB", "--blocks", "20", "--runs", "2",
                           "--rate", "1K", "--io", "pwrite", "--json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["sets"][0]["runs"].size() == 2);
  CHECK(json["sets"][0]["carries"] == "yes");
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("disk-bench stops at a signal, leaves nothing and says so") {
  const TempDir directory;
  Process process({std::getenv("WIRESPOOL"), "disk-bench", directory.str(), "--block-size", "4KiB", "--blocks", "100",
                   "--runs", "1000000", "--io", "pwrite"});
  REQUIRE(process.wait_for_output("run 1:", Seconds(30)));
  const auto result = process.stop(SIGTERM);
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.out, Contains("interrupted"));
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("disk-bench that is killed leaves nothing") {
  const TempDir directory;
  Process process({std::getenv("WIRESPOOL"), "disk-bench", directory.str(), "--block-size", "4KiB", "--blocks", "100",
                   "--runs", "1000000", "--io", "pwrite"});
  REQUIRE(process.wait_for_output("run 1:", Seconds(30)));
  CHECK(process.stop(SIGKILL).signal == SIGKILL);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("vf changes nothing it is not sure of, in one line") {
  const auto args = GENERATE(values<Command>({{"vf"},
                                              {"vf", "creat"},
                                              {"vf", "create", "wirespool-none", "2"},
                                              {"vf", "bind", "wirespool-none"},
                                              {"vf", "trust", "wirespool-none:0", "maybe"},
                                              {"vf", "mirror", "wirespool-none"}}));
  const auto result = run(args);
  CAPTURE(args, result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.out.empty());
  CHECK(result.err.starts_with("wirespool: "));
  CHECK(result.err.find('\n') == result.err.size() - 1);
}

TEST_CASE("vf create takes a device and a number, in whatever order the options are") {
  const auto args = GENERATE(values<Command>({{"vf", "create", "wirespool-none", "2"},
                                              {"vf", "create", "wirespool-none", "2", "--no-probe"},
                                              {"vf", "create", "--dry-run", "wirespool-none", "2"}}));
  const auto result = run(args);
  CAPTURE(args);
  CHECK_THAT(result.err, Contains("wirespool-none: no such device"));
  CHECK_THAT(run({"vf", "create", "wirespool-none"}).err, Contains("N: is required"));
  CHECK_THAT(run({"vf", "create", "wirespool-none", "2", "3"}).err, Contains("3: unexpected argument"));
}

TEST_CASE("vf show and an empty reset work everywhere") {
  const TempDir directory;
  CHECK(run({"vf", "show"}).exit_code == 0);
  CHECK(nlohmann::json::parse(run({"vf", "show", "--json"}).out).contains("physical_functions"));
  CHECK(run({"vf", "reset", "--state", (directory / "vf.json").string()}).exit_code == 0);
}

TEST_CASE("the configuration files that come along are read and consistent") {
  const auto folder = std::filesystem::path(WIRESPOOL_SOURCE_ROOT) / "config" / "capture";
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".toml") continue;
    ++seen;
    const auto read = read_capture_args({"--config", entry.path().string()});
    INFO(entry.path());
    if (const auto* stop = std::get_if<Stop>(&read)) FAIL(stop->err);
    const auto& request = std::get<CaptureRequest>(read);
    CHECK(wirespool::plan::validate(request.config).empty());
    CHECK_FALSE(request.eal_args.empty());
  }
  CHECK(seen >= 4);
}
