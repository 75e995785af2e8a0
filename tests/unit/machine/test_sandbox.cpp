// SPDX-License-Identifier: BSD-3-Clause
#include "machine/sandbox.hpp"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/sandbox.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using machine::FilesLeft;

namespace {

constexpr int no_confinement = 100, allowed = 101;

// In a child, that confines itself and then does it. What is given up is for good.
int confined(FilesLeft files, const std::function<int()>& job, machine::Network network = machine::Network::none) {
  return test::in_child([&] { return machine::confine(files, network) ? job() : no_confinement; });
}

bool cannot_be_tested() {
  if (!machine::has_sandbox())
    test::skip("sandbox", "built without libseccomp");
  else if (confined(FilesLeft::read, [] { return 0; }) == no_confinement)
    test::skip("sandbox", "no seccomp here");
  else
    return false;
  return true;
}

int errno_of(long result) { return result < 0 ? errno : allowed; }

struct Deed {
  const char* what;
  std::function<int()> job;    // gives errno_of() what it tried
  bool of_sanitizers = false;  // one that is built in does it
};

// Each is allowed without a list, to root at least, or fails with something else than EPERM.
std::vector<Deed> beyond_files() {
  return {
      {"running a program", [] { return errno_of(::execl("/bin/true", "true", nullptr)); }},
      {"a socket of the network", [] { return errno_of(::socket(AF_INET, SOCK_STREAM, 0)); }},
      {"a local socket", [] { return errno_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"netlink", [] { return errno_of(::socket(AF_NETLINK, SOCK_RAW, 0)); }},
      {"io_uring",
       [] {
         io_uring_params parameters{};
         return errno_of(::syscall(SYS_io_uring_setup, 4, &parameters));
       }},
      {"tracing", [] { return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }, true},
      {"memory of others",
       [] { return errno_of(::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0)); }, true},
      {"a signal to another process", [] { return errno_of(::kill(::getppid(), 0)); }, true},
      {"a signal to a thread of another process",
       [] { return errno_of(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0)); }, true},
      {"no namespace at all", [] { return errno_of(::syscall(SYS_unshare, 0)); }},
      {"a child in a namespace of its own",
       [] { return errno_of(::syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, 0)); }, true},
      {"memory that may become a program", [] { return errno_of(::syscall(SYS_memfd_create, "x", 0)); }},
      {"a domain of execution", [] { return errno_of(::syscall(SYS_personality, 0xffffffff)); }},
      {"another user", [] { return errno_of(::syscall(SYS_setuid, ::getuid())); }},
      {"an inotify queue", [] { return errno_of(::syscall(SYS_inotify_init1, 0)); }},
      {"typing into the terminal",
       [] {
         char letter = 'x';
         return errno_of(::ioctl(STDIN_FILENO, TIOCSTI, &letter));
       }},
  };
}

}  // namespace

TEST_CASE("whoever reads foreign files can do nothing but files: what is in no list is refused") {
  if (cannot_be_tested()) return;
  const auto files = GENERATE(FilesLeft::read, FilesLeft::write);
  unsigned by_the_list = 0;
  for (const auto& deed : beyond_files()) {
    CAPTURE(deed.what, files == FilesLeft::read);
    if (test::sanitized && deed.of_sanitizers) continue;
    by_the_list += test::in_child(deed.job) != EPERM;  // and not by a sandbox around this test, or for want of rights
    CHECK(confined(files, deed.job) == EPERM);
  }
  CHECK(by_the_list > 8);
}

TEST_CASE("whoever only reads opens no file for writing, and makes, changes and removes no name") {
  if (cannot_be_tested()) return;
  const test::TempDir directory;
  const auto file = (directory / "file").string(), other = (directory / "other").string();
  std::ofstream(file) << "precious";
  const std::vector<Deed> deeds{
      {"open for writing", [&] { return errno_of(::open(file.c_str(), O_WRONLY)); }},
      {"open for both", [&] { return errno_of(::open(file.c_str(), O_RDWR)); }},
      {"open to be emptied", [&] { return errno_of(::open(file.c_str(), O_RDONLY | O_TRUNC)); }},
      {"open to be made", [&] { return errno_of(::open(other.c_str(), O_RDONLY | O_CREAT, 0600)); }},
      {"make without a name", [&] { return errno_of(::open(directory.str().c_str(), O_TMPFILE | O_RDWR, 0600)); }},
      {"cut", [&] { return errno_of(::truncate(file.c_str(), 0)); }},
      {"remove", [&] { return errno_of(::unlink(file.c_str())); }},
      {"rename", [&] { return errno_of(::rename(file.c_str(), other.c_str())); }},
      {"link", [&] { return errno_of(::link(file.c_str(), other.c_str())); }},
      {"link by name", [&] { return errno_of(::symlink(file.c_str(), other.c_str())); }},
      {"make a directory", [&] { return errno_of(::mkdir(other.c_str(), 0700)); }},
      {"let others in", [&] { return errno_of(::chmod(file.c_str(), 0666)); }},
  };
  for (const auto& deed : deeds) {
    CAPTURE(deed.what);
    CHECK(confined(FilesLeft::read, deed.job) == EPERM);
  }
  CHECK(confined(FilesLeft::read, [&] { return errno_of(::open(file.c_str(), O_RDONLY)); }) == allowed);
  CHECK(confined(FilesLeft::write, [&] { return errno_of(::chmod(file.c_str(), 0666)); }) == EPERM);
  std::string text;
  std::getline(std::ifstream(file), text);
  CHECK(text == "precious");
}

TEST_CASE("what reading takes is still there: files, threads, pipes, and a thread has given up the same") {
  if (cannot_be_tested()) return;
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
  CHECK(confined(FilesLeft::write, read_and_write) == 0);
}

TEST_CASE("threads that run already are confined too, and gain no privileges from then on") {
  if (cannot_be_tested()) return;
  const int verdict = test::in_child([] {
    std::atomic<bool> done{false};
    std::atomic<int> made{0}, privileges{0};
    std::thread other([&] {
      while (!done) std::this_thread::yield();
      privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
      made = errno_of(::socket(AF_INET, SOCK_STREAM, 0));
    });
    const bool there = machine::confine(FilesLeft::read).has_value();
    done = true;
    other.join();
    if (!there) return no_confinement;
    return made == EPERM && privileges == 1 ? 0 : 1;
  });
  CHECK(verdict == 0);
}

TEST_CASE("a service keeps the sockets it has, and can make none") {
  if (cannot_be_tested()) return;
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const auto send = [&] { return errno_of(::send(ends[0], "x", 1, MSG_NOSIGNAL)); };
  const auto make = [] { return errno_of(::socket(AF_INET, SOCK_DGRAM, 0)); };
  const auto start = [] { return errno_of(::execl("/bin/true", "true", nullptr)); };
  CHECK(confined(FilesLeft::read, send) == EPERM);
  CHECK(confined(FilesLeft::read, send, machine::Network::open_sockets) == allowed);
  CHECK(confined(FilesLeft::read, make, machine::Network::open_sockets) == EPERM);
  CHECK(confined(FilesLeft::read, start, machine::Network::open_sockets) == EPERM);
  ::close(ends[0]);
  ::close(ends[1]);
}
