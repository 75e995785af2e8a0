// SPDX-License-Identifier: BSD-3-Clause
// Readers and the service take little memory, however much there is to read.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "spool/reading_rig.hpp"
#include "spool/serving.hpp"
#include "support/catch.hpp"
#include "support/sandbox.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t promised = 25 * mib;  // README, "How much of what"

// A thousand frames again and again, later each time.
Trace long_trace() {
  const auto frames = make_trace({.kind = "1514"});
  Trace trace;
  for (std::uint64_t round = 0; round < 28; ++round)
    for (std::size_t i = 0; i < frames.size(); ++i)
      trace.append({frames[i].time.ns + round * 10'000'000}, frames[i].bytes, frames[i].wirelen);
  return trace;
}

// 40 MiB in two directories. A child makes them: a program that is started has at first what its parent has, so that
// has to stay small.
struct Files {
  TempDir base;
  std::vector<std::string> directories{(base / "d0").string(), (base / "d1").string()};

  Files() {
    const auto made = in_child([this] {
      Layout layout;
      for (const auto& directory : directories) {
        fs::create_directory(directory);
        layout.directories.emplace_back(directory);
      }
      layout.block_bytes = mib;
      layout.blocks_per_file = 6;
      layout.index = Layout::Index::flow;
      return lay_out(long_trace(), layout).size() > 6 ? 0 : 1;
    });
    REQUIRE(made == 0);
  }
};

const Files& files_of_all() {
  static const Files files;
  return files;
}

struct Weighed {
  int exit_code = -1;
  std::uint64_t bytes = 0;  // the most that it had in memory (getrusage(2), ru_maxrss)
};

Weighed run_and_weigh(const Command& command) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    std::vector<char*> argv;
    for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  if (::wait4(child, &status, 0, &usage) != child || !WIFEXITED(status)) return {};
  return {WEXITSTATUS(status), static_cast<std::uint64_t>(usage.ru_maxrss) << 10};
}

// The most that a process had in memory until now (proc_pid_status(5)).
std::uint64_t peak_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; file >> word;)
    if (std::uint64_t kib = 0; word == "VmHWM:" && file >> kib) return kib << 10;
  return 0;
}

}  // namespace

TEST_CASE("40 MiB are merged, searched and verified in 25 MiB of memory") {
  if (sanitized) return skip("memory of readers", "a sanitizer has its own there");
  const auto& files = files_of_all();
  const auto out = (files.base / "out.pcap").string();
  const Command commands[] = {{"extract", "-w", out}, {"extract", "--filter", "udp", "-w", out}, {"verify"}};
  for (auto command : commands) {
    command.insert(command.begin(), std::getenv("WIRESPOOL"));
    command.insert(command.end(), files.directories.begin(), files.directories.end());
    CAPTURE(command);
    const auto result = run_and_weigh(command);
    CHECK(result.exit_code == 0);
    CHECK(result.bytes > mib);
    CHECK(result.bytes <= promised);
    if (command[2] == "-w") CHECK(fs::file_size(out) > 40 * mib);
  }
}

TEST_CASE("a service's extraction of 40 MiB takes no more memory than one of a packet") {
  if (sanitized) return skip("memory of the service", "a sanitizer has its own there");
  if (!have_program("curl")) return skip("memory of the service", "curl is not here: apt-get install curl");
  const auto& files = files_of_all();
  const Serving serving(files.directories);
  const auto all_of = [&](const std::vector<std::string>& parameters) {
    const auto result = run_process(
        curl(serving.url("/api/extract"), parameters, {"-o", "/dev/null", "-w", "%{http_code} %{size_download}"}));
    INFO(result.describe() << serving.log());
    REQUIRE(result.ok());
    REQUIRE(result.out.starts_with("200 "));
    return std::stoull(result.out.substr(4));
  };
  REQUIRE(all_of({"limit=1"}) < mib);
  const auto before = peak_of(serving.pid());
  REQUIRE(before > mib);
  CHECK(all_of({}) > 40 * mib);
  CHECK(peak_of(serving.pid()) < before + 8 * mib);
}
