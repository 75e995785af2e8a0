// SPDX-License-Identifier: BSD-3-Clause
// What a service manager and --on-seal see of a capture.
#include <dirent.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "storage/file_descriptor.hpp"
#include "support/catch.hpp"
#include "support/spool_files.hpp"
#include "worker_name.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

// A service manager's end, in the environment of what is started while it lives.
class Manager {
 public:
  explicit Manager(const Bench& bench, const std::string& watchdog_us = "")
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = (bench.base / "notify").string();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    if (!watchdog_us.empty()) ::setenv("WATCHDOG_USEC", watchdog_us.c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }
  // All that was said since last asked.
  std::vector<std::string> heard() const {
    std::vector<std::string> all;
    char text[512];
    for (ssize_t got; (got = ::recv(socket_.get(), text, sizeof text, 0)) >= 0;)
      all.emplace_back(text, static_cast<std::size_t>(got));
    return all;
  }
  // All that is said until something that starts like this has been said so often; a minute at most.
  std::vector<std::string> hear(const std::string& start, std::ptrdiff_t times = 1) const {
    std::vector<std::string> all;
    const auto enough = [&] {
      return std::ranges::count_if(all, [&](const auto& one) { return one.starts_with(start); }) >= times;
    };
    for (int i = 0; i < 6'000 && !enough(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      std::ranges::move(heard(), std::back_inserter(all));
    }
    return all;
  }

 private:
  storage::FileDescriptor socket_;
};

bool has(const std::vector<std::string>& all, const std::string& start) {
  return std::ranges::any_of(all, [&](const auto& one) { return one.starts_with(start); });
}

// Stops one thread of a process, as a driver that hangs would.
class Frozen {
 public:
  explicit Frozen(pid_t thread) : thread_(thread) {
    REQUIRE(::ptrace(PTRACE_SEIZE, thread_, 0, 0) == 0);
    REQUIRE(::ptrace(PTRACE_INTERRUPT, thread_, 0, 0) == 0);
    REQUIRE(::waitpid(thread_, nullptr, __WALL) == thread_);
  }
  ~Frozen() { ::ptrace(PTRACE_DETACH, thread_, 0, 0); }

 private:
  pid_t thread_;
};

pid_t worker_thread(pid_t process) {
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    if (worker_lcore(name) == "1") return std::stoi(task.path().filename());
  }
  return -1;
}

CaptureCommand endless(const Bench& bench, Command options) {
  options.insert(options.end(), {"--stats-interval", "100ms", "--when-full", "wait", "--rotate-size", "4MiB"});
  return {.vdevs = {"net_null0,size=1000,no-rx=1"}, .outputs = bench.outputs, .options = std::move(options)};
}

CaptureCommand of_trace(const Bench& bench, Command options) {
  write_trace({.kind = "1514", .packets = 20'000}, bench.trace());
  options.insert(options.end(), {"--rotate-size", "4MiB", "--stats-interval", "50ms"});
  return {.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = until_packets(20'000, options)};
}

std::size_t lines_in(const fs::path& path) {
  std::ifstream file(path);
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

std::size_t markers(const fs::path& directory) {
  return static_cast<std::size_t>(std::ranges::count_if(
      fs::directory_iterator(directory), [](const auto& entry) { return entry.path().extension() == ".on-seal"; }));
}

}  // namespace

TEST_CASE("a service manager hears that the capture runs, how fast, and that it ends") {
  const Bench bench;
  const Manager manager(bench);
  LiveCapture capture(endless(bench, {}));
  REQUIRE(capture.wait_until_running());
  const auto running = manager.hear("STATUS=0pps", 3);
  REQUIRE_FALSE(running.empty());
  CHECK(running.front() == "READY=1\nSTATUS=capturing");
  CHECK(has(running, "STATUS=0pps 0bit/s, 0 stored, lost 0"));
  CHECK_FALSE(has(running, "WATCHDOG"));  // nobody asked for it
  CHECK(check_capture(capture.stop(SIGTERM), bench.outputs) == "");
  CHECK(has(manager.heard(), "STOPPING=1\nSTATUS=ending: SIGTERM"));
}

TEST_CASE("the watchdog is fed while all lcores turn, and not while one stands still") {
  const Bench bench;
  const Manager manager(bench, "600000");
  LiveCapture capture(endless(bench, {}));
  REQUIRE(capture.wait_until_running());
  CHECK(has(manager.hear("WATCHDOG=1"), "WATCHDOG=1"));
  const auto thread = worker_thread(capture.process().pid());
  REQUIRE(thread > 0);
  {
    const Frozen frozen(thread);
    (void)manager.hear("STATUS=", 5);  // what was on its way, and the next look
    const auto frozen_out = manager.hear("STATUS=", 10);
    CHECK(has(frozen_out, "STATUS="));  // the main lcore does talk
    CHECK_FALSE(has(frozen_out, "WATCHDOG=1"));
  }
  CHECK(has(manager.hear("WATCHDOG=1"), "WATCHDOG=1"));
  CHECK(check_capture(capture.stop(SIGTERM), bench.outputs) == "");
}

TEST_CASE("--on-seal runs for every sealed file before the capture ends, and the ledger counts it") {
  const Bench bench(2);
  const auto log = (bench.base / "log").string();
  const auto result =
      run_capture(of_trace(bench, {"--on-seal", "note() { test -s \"$1\" -a -s \"$WIRESPOOL_INDEX\" && echo \"$1\" >>" +
                                                    log + "; }; note"}));
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  const auto files = sealed_files(bench.outputs).size();
  CHECK(files > 4);
  CHECK(lines_in(log) == files);
  CHECK(result.last().at("on_seal") == Json{{"done", files}, {"failed", 0}, {"pending", 0}});
}

TEST_CASE("--on-seal that fails loses no packet; its files wait for the next capture") {
  const Bench bench;
  const auto first = run_capture(of_trace(bench, {"--on-seal", "false"}));
  INFO(first.describe());
  CHECK(first.process.exit_code == 0);
  CHECK(check_ledger(first) == "");
  CHECK(check_stored(bench.outputs, first) == "");
  const auto files = sealed_files(bench.outputs).size();
  CHECK(first.last().at("on_seal").at("pending") == files);
  CHECK(first.last().at("on_seal").at("failed") >= files);
  CHECK(first.process.err.find("files are left") != std::string::npos);
  CHECK(markers(bench.outputs[0]) == files);

  const auto log = (bench.base / "log").string();
  const auto second = run_capture(of_trace(bench, {"--on-seal", "note() { echo \"$1\" >>" + log + "; }; note"}));
  CHECK(second.process.exit_code == 0);
  CHECK(lines_in(log) == 2 * files);
  CHECK(markers(bench.outputs[0]) == 0);
}

TEST_CASE("an --on-seal that hangs holds the end up for --on-seal-linger and no longer, another signal for less") {
  const bool signalled = GENERATE(false, true);
  CAPTURE(signalled);
  const Bench bench;
  LiveCapture capture(of_trace(bench, {"--on-seal", "sleep 600 #", "--on-seal-linger", signalled ? "10m" : "1s"}));
  if (signalled) {
    for (int i = 0; i < 1'000 && markers(bench.outputs[0]) == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::seconds(3));
    capture.process().send_signal(SIGTERM);
  }
  const auto result = capture.wait(Seconds(30));
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(result.total("stored") == 20'000);
  CHECK(markers(bench.outputs[0]) > 0);
}
