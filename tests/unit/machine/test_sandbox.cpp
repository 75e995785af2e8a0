// SPDX-License-Identifier: BSD-3-Clause
#include "machine/sandbox.hpp"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "support/catch.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;

namespace {

constexpr int no_sandbox = 100, allowed = 101;

// In a child: gives up, then does it. What is given up is for good.
int after_giving_up(const std::function<int()>& job, machine::Network network = machine::Network::none) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(machine::give_up_programs_and_network(network) ? job() : no_sandbox);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int errno_of(long result) { return result < 0 ? errno : allowed; }

}  // namespace

TEST_CASE("what was given up is refused: programs, sockets, io_uring, other processes, mounts") {
  if (!machine::has_sandbox()) return test::skip("sandbox", "built without libseccomp");
  const auto nothing = [] { return 0; };
  if (after_giving_up(nothing) == no_sandbox) return test::skip("sandbox", "no seccomp here");
  CHECK(after_giving_up([] { return errno_of(::execl("/bin/true", "true", nullptr)); }) == EPERM);
  CHECK(after_giving_up([] { return errno_of(::socket(AF_INET, SOCK_STREAM, 0)); }) == EPERM);
  CHECK(after_giving_up([] { return errno_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }) == EPERM);
  CHECK(after_giving_up([] {
          io_uring_params parameters{};
          return errno_of(::syscall(SYS_io_uring_setup, 4, &parameters));
        }) == EPERM);
  CHECK(after_giving_up([] { return errno_of(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr)); }) == EPERM);
  CHECK(after_giving_up([] { return errno_of(::kill(::getppid(), 0)); }) == EPERM);
  CHECK(after_giving_up([] { return errno_of(::syscall(SYS_unshare, 0)); }) == EPERM);
  // All of these are allowed without it: the list is what refuses them.
  CHECK(::kill(::getpid(), 0) == 0);
  CHECK(::syscall(SYS_unshare, 0) == 0);
}

TEST_CASE("what reading takes is still there: files, threads, pipes, and a thread has given up the same") {
  if (!machine::has_sandbox()) return test::skip("sandbox", "built without libseccomp");
  const test::TempDir directory;
  const auto file = (directory / "file").string();
  const auto read_and_write = [&] {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0600);
    int ends[2] = {-1, -1};
    if (fd < 0 || ::pwrite(fd, "x", 1, 0) != 1 || ::fdatasync(fd) != 0 || ::pipe(ends) != 0) return 1;
    int in_thread = 0;
    std::thread([&] { in_thread = errno_of(::socket(AF_INET, SOCK_STREAM, 0)); }).join();
    return in_thread == EPERM ? 0 : 2;
  };
  const int result = after_giving_up(read_and_write);
  if (result == no_sandbox) return test::skip("sandbox", "no seccomp here");
  CHECK(result == 0);
}

TEST_CASE("a service keeps the sockets it has, and can make none") {
  if (!machine::has_sandbox()) return test::skip("sandbox", "built without libseccomp");
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const auto send = [&] { return errno_of(::send(ends[0], "x", 1, MSG_NOSIGNAL)); };
  const auto make = [] { return errno_of(::socket(AF_INET, SOCK_DGRAM, 0)); };
  const auto start = [] { return errno_of(::execl("/bin/true", "true", nullptr)); };
  if (after_giving_up(send) == no_sandbox) return test::skip("sandbox", "no seccomp here");
  CHECK(after_giving_up(send) == EPERM);
  CHECK(after_giving_up(send, machine::Network::open_sockets) == allowed);
  CHECK(after_giving_up(make, machine::Network::open_sockets) == EPERM);
  CHECK(after_giving_up(start, machine::Network::open_sockets) == EPERM);
  ::close(ends[0]);
  ::close(ends[1]);
}
