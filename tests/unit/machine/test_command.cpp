// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <signal.h>

#include <fstream>
#include <iterator>

#include "machine/command.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using namespace std::chrono_literals;
using machine::Command;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string run(const std::string& command, const std::string& argument = "",
                const std::vector<std::string>& variables = {}) {
  auto started = Command::start({command, argument, variables});
  REQUIRE(started);
  return started->wait(20s).value_or("still running");
}

// Not one that has ended and only waits for init to notice (proc_pid_stat(5), state Z).
bool runs(int pid) {
  const auto status = content("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = status.rfind(')');
  return name_end != std::string::npos && status.substr(name_end, 3) != ") Z";
}

}  // namespace

TEST_CASE("a command gets its argument as one word, and its variables") {
  const test::TempDir dir;
  const auto out = (dir / "out").string();
  CHECK(run("show() { printf '%s|' \"$#\" \"$1\" \"$PLACE\" >" + out + "; }; show", "a b'c", {"PLACE=x y"}) == "");
  CHECK(content(out) == "1|a b'c|x y|");
}

TEST_CASE("a command that fails says how") {
  CHECK(run("sh -c 'exit 3'") == "exit code 3");
  CHECK(run("kill -9 $$;") == "it was ended by signal 9");
  CHECK(run("wirespool-no-such-command 2>&-") == "exit code 127");
}

TEST_CASE("a command that runs on is waited for no longer than asked, and ends when told to") {
  auto started = Command::start({"sleep 600 #", "", {}});
  REQUIRE(started);
  CHECK_FALSE(started->wait(20ms));
  started->end();
  CHECK(started->wait(0ms) == "it was ended by signal 15");
}

TEST_CASE("a command that does not want to end is made to, with what it started") {
  const test::TempDir dir;
  const auto pid = (dir / "pid").string();
  auto started = Command::start({"trap '' TERM; sh -c 'echo $$ >" + pid + "; while :; do sleep 0.1; done' #", "", {}});
  REQUIRE(started);
  while (content(pid).empty()) CHECK_FALSE(started->wait(10ms));
  started->end();
  CHECK(started->wait(0ms) == "it was ended by signal 9");
  for (int i = 0; i < 100 && runs(std::stoi(content(pid))); ++i) ::usleep(10'000);
  CHECK_FALSE(runs(std::stoi(content(pid))));
}

TEST_CASE("a command has none of our files, and our words to the service manager are not its own") {
  const test::TempDir dir;
  const auto out = (dir / "out").string();
  // Without O_CLOEXEC, as a careless caller leaves them: descriptor 3 is open now, whoever opened it, and a far one.
  const storage::FileDescriptor next(::fcntl(STDERR_FILENO, F_DUPFD, 3)), far(::fcntl(STDERR_FILENO, F_DUPFD, 200));
  REQUIRE(::fcntl(3, F_GETFD) >= 0);
  ::setenv("NOTIFY_SOCKET", "@nobody", 1);
  // Asked one by one: a shell that lists them has some of its own meanwhile, for its pipes (3) and redirections (10).
  const auto verdict =
      run("look() { for n in 3 4 5 6 7 8 9 200; do [ ! -e /proc/$$/fd/$n ] || return $n; done; readlink "
          "/proc/$$/fd/0 >" +
          out + "; env >" + out + ".env; }; look");
  ::unsetenv("NOTIFY_SOCKET");
  CHECK(verdict == "");
  CHECK(content(out) == "/dev/null\n");
  CHECK_THAT(content(out + ".env"), Catch::Contains("PATH=") && !Catch::Contains("NOTIFY_SOCKET"));
}
