// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/commands.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"
#include "support/process.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "wirespool/version.hpp"

using namespace wirespool::test;
using Catch::Contains;

namespace {

// Meson says where it is built.
std::string program() {
  const char* path = std::getenv("WIRESPOOL");
  REQUIRE(path != nullptr);
  return path;
}

ProcessResult run(const Command& args) {
  Command command{program()};
  command.insert(command.end(), args.begin(), args.end());
  return run_process(command);
}

// Meson says what it was built with.
bool built_with(const char* what) {
  const char* answer = std::getenv(what);
  REQUIRE(answer != nullptr);
  return std::string(answer) == "yes";
}

bool has_capture() { return built_with("WIRESPOOL_CAPTURE"); }

bool is_error_line(const std::string& text) {
  return text.starts_with("wirespool: ") && text.find('\n') == text.size() - 1;
}

}  // namespace

TEST_CASE("--help lists the commands") {
  const auto result = run({"--help"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("capture"));
  CHECK(result.err.empty());
}

TEST_CASE("a NIC that the plan does not know is refused with the names of those that it knows") {
  const auto result = run({"plan", "--rate", "40G", "--nic", "xl711"});
  CHECK(result.exit_code == 1);
  CHECK(is_error_line(result.err));
  CHECK_THAT(result.err, Contains("--nic") && Contains("xl710") && Contains("connectx-7"));
  const auto known = run({"plan", "--rate", "40G", "--mix", "64", "--nic", "xl710", "--pcie", "3x4", "--json"});
  CHECK(known.exit_code == 0);
  CHECK_THAT(known.out, Contains("\"limited_by\": \"PCIe 3.0 x4\""));
}

TEST_CASE("a result that cannot be written is never exit code 0") {
  const auto redirection = GENERATE(values<std::string>({">/dev/full", ">&-"}));
  const auto args = GENERATE(
      values<std::string>({"--help", "--version", "ls --help", "ls .", "ls --json .", "verify .", "repair --dry-run .",
                           "index .", "plan --rate 10G", "vf --help", "vf show", "doctor --json", "vf show --json"}));
  CAPTURE(args, redirection);
  const TempDir empty;
  const auto result =
      run_process({"sh", "-c", "cd " + empty.str() + " && exec " + program() + " " + args + " " + redirection});
  CHECK(result.exit_code > 0);
  CHECK_THAT(result.err, Contains("wirespool: standard output: "));
}

TEST_CASE("a message that cannot be written changes no exit code") {
  const auto redirection = GENERATE(values<std::string>({"2>/dev/full", "2>&-"}));
  CAPTURE(redirection);
  const TempDir empty;
  const auto command = "cd " + empty.str() + " && exec " + program() + " ls . " + redirection;
  CHECK(run_process({"sh", "-c", command}).exit_code == 0);
}

TEST_CASE("--version names the libraries that matter") {
  const auto result = run({"--version"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             Contains(std::string("wirespool ") + wirespool::version) && Contains("DPDK") && Contains("liburing"));
}

TEST_CASE("the version is the build's") {
  const char* version = std::getenv("WIRESPOOL_VERSION");
  REQUIRE(version != nullptr);
  CHECK(std::string(version) == wirespool::version);
}

TEST_CASE("capture --help goes to standard output") {
  const auto result = run({"capture", "--help"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("--output"));
  CHECK(result.err.empty());
}

TEST_CASE("wrong use is one line on stderr and exit code 1") {
  const auto args = GENERATE(values<Command>({{},
                                              {"captur"},
                                              {"capture", "--nonsense"},
                                              {"capture", "--burst", "x"},
                                              {"capture", "extra"},
                                              {"capture", "--config", "/nonexistent.toml"},
                                              {"capture", "--until", "rx", "--snaplen", "0"}}));
  const auto result = run(args);
  CAPTURE(args, result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.out.empty());
  CHECK(is_error_line(result.err));
}

TEST_CASE("a misspelt command is guessed") { CHECK_THAT(run({"captrue"}).err, Contains("did you mean capture?")); }

TEST_CASE("all that is wrong is told at once, a line each") {
  const auto result = run({"capture", "--snaplen", "0", "--name", "a/b", "--io-depth", "0"});
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, Contains("wirespool: --output: ") && Contains("\nwirespool: --snaplen: ") &&
                             Contains("\nwirespool: --name: ") && Contains("\nwirespool: --io-depth: "));
}

TEST_CASE("what EAL would answer with a page of help, or abort over, is one line") {
  if (!has_capture()) return skip("EAL's arguments", "built without DPDK");
  const auto [lcores, error, exit_code] = GENERATE(table<std::string, std::string, int>(
      {{"0-z", "wirespool: EAL's -l: \"0-z\" is not a list of lcores", 1},
       {"0,4000", "wirespool: lcores: lcore 4000 needs CPU 4000, but this process may only run on", 2}}));
  const auto result = run({"capture", "-l", lcores, "--no-huge", "--", "--until", "rx"});
  CAPTURE(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK_THAT(result.err, Catch::StartsWith(error));
  CHECK(is_error_line(result.err));
}

TEST_CASE("built without DPDK, capture says so") {
  if (has_capture()) return;
  const auto result = run({"capture", "--until", "rx"});
  CHECK(result.exit_code == 2);
  CHECK(is_error_line(result.err));
}

TEST_CASE("a refused capture leaves its directory as it was") {
  const TempDir directory;
  const auto output = directory.str();
  const auto args = GENERATE_COPY(values<Command>({{"capture", "--output", output, "--snaplen", "0"},
                                                   {"capture", "--output", output, "--output", output + "/"},
                                                   {"capture", "-l", "0,4000", "--", "--output", output},
                                                   {"capture", "--output", output, "--when-full", "shrink"}}));
  const auto result = run(args);
  CAPTURE(args, result.err);
  CHECK((result.exit_code == 1 || result.exit_code == 2));
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("what reads foreign files has given up programs and network before it opens one") {
  if (run({"--version"}).out.find("without libseccomp") != std::string::npos)
    return skip("sandbox", "built without libseccomp");
  const TempDir base;
  const auto fifo = (base / "fifo").string();
  REQUIRE(run_process({"mkfifo", fifo}).ok());
  Process extract({program(), "extract", fifo, "-w", (base / "out").string()});  // opening it waits for a writer
  std::string status;
  for (int i = 0; i < 500 && status.find("Seccomp:\t2") == std::string::npos; ++i) {
    status = run_process({"cat", "/proc/" + std::to_string(extract.pid()) + "/status"}).out;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK_THAT(status, Contains("Seccomp:\t2") && Contains("NoNewPrivs:\t1"));
  CHECK_THAT(run({"ls", base.str()}).err, !Contains("without a sandbox"));
}

namespace {

// A pipe that nobody empties, full.
class FullPipe {
 public:
  FullPipe() {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    while (::write(ends_[1], "x", 1) == 1) continue;
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;
  ~FullPipe() {
    for (const int end : ends_) ::close(end);
  }
  // Opened anew, and so in blocking mode (proc(5), "/proc/pid/fd").
  std::string name() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends_[1]); }

 private:
  std::array<int, 2> ends_{};
};

std::string status_of(pid_t pid) { return run_process({"cat", "/proc/" + std::to_string(pid) + "/status"}).out; }

// A pcap file without packets.
void write_empty_pcap(const std::filesystem::path& path) {
  const std::array<std::uint32_t, 6> header{0xa1b23c4d, 0x00040002, 0, 0, 262144, 1};
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(header.data()), sizeof header);
}

}  // namespace

TEST_CASE("each reader has given up programs and network by the time it has a result, for good") {
  if (run({"--version"}).out.find("without libseccomp") != std::string::npos)
    return skip("sandbox", "built without libseccomp");
  const auto command =
      GENERATE(values<std::string>({"ls .", "verify .", "repair --dry-run .", "index .", "keep --list --json .",
                                    "retain --dry-run --age 1h --json .", "manifest .", "extract ./empty.pcap -w -"}));
  CAPTURE(command);
  const TempDir directory;
  write_empty_pcap(directory / "empty.pcap");
  const FullPipe full;
  // It hangs in writing its result.
  const Process reader(
      {"sh", "-c", "cd " + directory.str() + " && exec " + program() + " " + command + " >" + full.name()});
  std::string status;
  const auto confined = [&status] {  // this test may have one of them itself
    return status.find("Seccomp:\t2") != std::string::npos && status.find("NoNewPrivs:\t1") != std::string::npos;
  };
  for (int i = 0; i < 1'000 && !confined(); ++i) {
    status = status_of(reader.pid());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  INFO(status << reader.err());
  CHECK(confined());
  CHECK_THAT(status, Contains("Name:\twirespool"));
}

TEST_CASE("a program that was built without libseccomp says so, and reads all the same") {
  const bool without =
      run({"--version"}).out.find("\nbuilt without libseccomp: readers have no sandbox\n") != std::string::npos;
  CHECK(without == !built_with("WIRESPOOL_SECCOMP"));
  const TempDir directory;
  write_empty_pcap(directory / "empty.pcap");
  const auto result = run({"verify", (directory / "empty.pcap").string()});
  INFO(result.describe());
  CHECK(result.ok());
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Contains("1 files, 0 packets"));
}

TEST_CASE("a program that was built without HTTP refuses what takes it in one line, with what to build") {
  if (built_with("WIRESPOOL_HTTP")) return;
  const auto [option, args] =
      GENERATE(table<std::string, Command>({{"--metrics", {"capture", "--until", "rx", "--metrics", ":9100"}},
                                            {"--serve", {"capture", "--until", "rx", "--serve", ":8080"}},
                                            {"--listen", {"serve", "."}},
                                            {"extract, ls", {"ls", "https://probe.example:8443"}}}));
  if (args[0] == "capture" && !has_capture()) return;
  const auto result = run(args);
  INFO(result.describe());
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(is_error_line(result.err));
  CHECK_THAT(result.err, Contains("wirespool: " + option + ": ") &&
                             Contains("built without cpp-httplib: install libcpp-httplib-dev and build it with "
                                      "-Dmetrics=enabled"));
}

TEST_CASE("readers that write do so where they were told, and can make no file elsewhere by the time they end") {
  if (sanitized) return skip("landlock", "a sanitizer wants nothing preloaded before it");
  if (run({"--version"}).out.find("no Landlock") != std::string::npos)
    return skip("landlock", "this kernel, or a sandbox around this test, has none");
  const auto ends = [](const std::string& command, const TempDir& directory) {
    const auto elsewhere = directory / "elsewhere";
    const auto spool = directory / "spool";
    std::filesystem::create_directory(spool);
    write_empty_pcap(spool / "empty.pcap");
    const auto preload = "LD_PRELOAD=" + std::string(std::getenv("MAKES_ELSEWHERE"));
    const auto result = run_process({"sh", "-c",
                                     "cd " + spool.string() + " && exec env " + preload +
                                         " ELSEWHERE=" + elsewhere.string() + " " + program() + " " + command});
    CAPTURE(command, result.err);
    CHECK(result.exit_code == 0);
    return std::filesystem::exists(elsewhere);
  };
  const auto command = GENERATE(values<std::string>({"repair .", "index .", "retain --age 1h .", "keep --release .",
                                                     "manifest .", "extract empty.pcap -w out.pcap"}));
  if (command == "manifest ." && !built_with("WIRESPOOL_SECCOMP")) return;  // which alone keeps it from writing
  const TempDir directory;
  CHECK_FALSE(ends(command, directory));
  CHECK(std::filesystem::exists(directory / "spool" / "out.pcap") == command.starts_with("extract"));
  const TempDir unconfined;
  CHECK(ends("--version", unconfined));
}

TEST_CASE("a service that may pin can make no file but where its files are") {
  if (sanitized) return skip("landlock", "a sanitizer wants nothing preloaded before it");
  if (run({"--version"}).out.find("no Landlock") != std::string::npos)
    return skip("landlock", "this kernel, or a sandbox around this test, has none");
  const TempDir directory;
  const auto elsewhere = directory / "elsewhere", spool = directory / "spool";
  std::filesystem::create_directory(spool);
  Process service({"env", "LD_PRELOAD=" + std::string(std::getenv("MAKES_ELSEWHERE")),
                   "ELSEWHERE=" + elsewhere.string(), program(), "serve", "--allow-keep", "--listen",
                   "127.0.0.1:" + std::to_string(free_port()), spool.string()});
  if (!service.wait_for_output("listening at", Seconds(30))) {
    const auto ended = service.stop(SIGTERM, Seconds(30));
    INFO(ended.describe());
    REQUIRE(ended.err.find("built without cpp-httplib") != std::string::npos);
    return skip("serve", "this wirespool was built without cpp-httplib");
  }
  CHECK(service.stop(SIGTERM, Seconds(30)).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(elsewhere));
}

TEST_CASE("readers that write nothing are left files for reading alone, other readers files and nothing else") {
  const auto left_to = [](std::string_view name) {
    const auto& all = wirespool::cli::commands();
    const auto command = std::ranges::find(all, name, &wirespool::cli::Command::name);
    REQUIRE(command != all.end());
    return command->files_left;
  };
  using wirespool::machine::FilesLeft;
  for (const auto* name : {"ls", "verify", "watch", "manifest"}) CHECK(left_to(name) == FilesLeft::read);
  for (const auto* name : {"extract", "keep", "retain", "repair", "index"}) CHECK(left_to(name) == FilesLeft::write);
}
