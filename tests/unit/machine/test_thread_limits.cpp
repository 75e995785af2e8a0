// SPDX-License-Identifier: BSD-3-Clause
#include "machine/thread_limits.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <thread>

#include "machine/sandbox.hpp"
#include "support/catch.hpp"
#include "support/sandbox.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using machine::ThreadLimits;

namespace {

constexpr int no_limits = 100, allowed = 101;

int errno_of(long result) { return result < 0 ? errno : allowed; }

int limited(const std::expected<ThreadLimits, storage::IoError>& limits, const std::function<int()>& job) {
  return test::in_child([&] {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !limits || !limits->take_for_all_threads()) return no_limits;
    return job();
  });
}

bool cannot_be_tested() {
  if (!machine::has_sandbox())
    test::skip("limits of threads", "built without libseccomp");
  else if (limited(ThreadLimits::of_process(false), [] { return 0; }) == no_limits)
    test::skip("limits of threads", "no seccomp here");
  else
    return false;
  return true;
}

int run_true() { return errno_of(::execl("/bin/true", "true", nullptr)); }

}  // namespace

TEST_CASE("a lcore works on what is open, and opens, names, starts and connects nothing") {
  if (cannot_be_tested()) return;
  const test::TempDir directory;
  const auto file = (directory / "file").string();
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(fd >= 0);
  const auto limits = ThreadLimits::of_lcores();
  CHECK(limited(limits, [&] { return errno_of(::open(file.c_str(), O_RDONLY)); }) == EPERM);
  CHECK(limited(limits, [&] { return errno_of(::unlink(file.c_str())); }) == EPERM);
  CHECK(limited(limits, [&] { return errno_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }) == EPERM);
  CHECK(limited(limits, run_true) == EPERM);
  CHECK(limited(limits, [] { return errno_of(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }) == EPERM);
  CHECK(limited(limits, [] { return errno_of(::kill(::getppid(), 0)); }) == EPERM);
  CHECK(limited(limits, [] { return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }) == EPERM);
  CHECK(limited(limits, [&] { return errno_of(::pwrite(fd, "x", 1, 0)); }) == allowed);
  CHECK(limited(limits, [&] { return errno_of(::ftruncate(fd, 0)); }) == allowed);
  const timespec moment{0, 1'000};  // --idle adaptive
  CHECK(limited(limits, [&] { return ::clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nullptr); }) == 0);
  ::close(fd);
}

TEST_CASE("a process that runs no command can run none, and neither kind can mount, trace or change its user") {
  if (cannot_be_tested()) return;
  const bool commands = GENERATE(true, false);
  CAPTURE(commands);
  const auto limits = ThreadLimits::of_process(commands);
  CHECK(limited(limits, run_true) == (commands ? 0 : EPERM));  // 0: of true(1)
  CHECK(limited(limits, [] { return errno_of(::mount("none", "/nowhere", "tmpfs", 0, nullptr)); }) == EPERM);
  if (!test::sanitized)
    CHECK(limited(limits, [] { return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }) == EPERM);
  CHECK(limited(limits, [] { return errno_of(::syscall(SYS_setuid, ::getuid())); }) == EPERM);
  CHECK(limited(limits, [] { return errno_of(::socket(AF_UNIX, SOCK_DGRAM, 0)); }) == allowed);
}

TEST_CASE("threads that run already are limited too, and gain no privileges from then on") {
  if (cannot_be_tested()) return;
  const auto limits = ThreadLimits::of_process(false);
  const int verdict = test::in_child([&] {
    std::atomic<bool> taken{false};
    std::atomic<int> found{0}, privileges{0};
    std::thread other([&] {
      while (!taken.load()) std::this_thread::yield();
      privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
      found = run_true();
    });
    const bool done = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && limits && limits->take_for_all_threads();
    taken = true;
    other.join();
    if (!done) return no_limits;
    return found == EPERM && privileges == 1 ? 0 : 1;
  });
  CHECK(verdict == 0);
}
