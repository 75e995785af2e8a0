// SPDX-License-Identifier: BSD-3-Clause
#include "storage/directory_lock.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "support/catch.hpp"
#include "support/file_content.hpp"
#include "support/open_files.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using Catch::Contains;
using wirespool::test::open_files;
using wirespool::test::TempDir;

namespace {

// A process that has taken the lock and waits to be killed.
pid_t start_holder(const TempDir& dir) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto directory = Directory::open(dir.str());
    const auto lock = DirectoryLock::take(*directory, "stem");
    const char done = lock ? 'y' : 'n';
    if (::write(ends[1], &done, 1) == 1) ::pause();
    ::_exit(1);
  }
  ::close(ends[1]);
  char done = 0;
  REQUIRE(::read(ends[0], &done, 1) == 1);
  ::close(ends[0]);
  REQUIRE(done == 'y');
  return child;
}

void kill_holder(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("a lock held by another process is refused, naming directory, stem and process") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  const pid_t holder = start_holder(dir);
  const auto lock = DirectoryLock::take(*directory, "stem");
  const auto other_stem = DirectoryLock::take(*directory, "other");
  kill_holder(holder);
  REQUIRE_FALSE(lock);
  CHECK(lock.error().code == EWOULDBLOCK);
  CHECK_THAT(lock.error().what,
             Contains(dir.str()) && Contains("'stem'") && Contains("process " + std::to_string(holder)));
  CHECK(other_stem);
}

TEST_CASE("the lock of a killed process is free") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  kill_holder(start_holder(dir));
  REQUIRE(std::filesystem::exists(dir / ".stem.lock"));
  CHECK(DirectoryLock::take(*directory, "stem"));
}

TEST_CASE("a released lock leaves no file and no descriptor") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  const std::size_t before = open_files();
  {
    auto lock = DirectoryLock::take(*directory, "stem");
    REQUIRE(lock);
    DirectoryLock moved = std::move(*lock);
    lock = DirectoryLock::take(*directory, "other");
    REQUIRE(lock);
    moved = std::move(*lock);
    CHECK_FALSE(std::filesystem::exists(dir / ".stem.lock"));
    CHECK(std::filesystem::exists(dir / ".other.lock"));
  }
  CHECK(std::filesystem::is_empty(dir.path()));
  CHECK(open_files() == before);
}

TEST_CASE("the lock file says whose it is") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  std::ofstream(dir / ".stem.lock") << "4194304999 a crash left this\n";
  const auto lock = DirectoryLock::take(*directory, "stem");
  REQUIRE(lock);
  CHECK(wirespool::test::file_content(dir / ".stem.lock") == std::to_string(::getpid()) + "\n");
}

TEST_CASE("processes that take and release one lock never hold it at once") {
  const TempDir dir;
  std::array<pid_t, 4> children{};
  for (auto& child : children) {
    child = ::fork();
    if (child != 0) continue;
    const auto directory = Directory::open(dir.str());
    int wrong = 0;
    for (int taken = 0; taken < 30;) {
      const auto lock = DirectoryLock::take(*directory, "stem");
      if (!lock && lock.error().code != EWOULDBLOCK) wrong = 2;
      if (wrong != 0) break;
      if (!lock) continue;
      ++taken;
      // The directory is made and removed under the lock: a second holder would find it there.
      if (::mkdir((dir / "inside").c_str(), 0700) != 0) wrong = 1;
      ::rmdir((dir / "inside").c_str());
    }
    ::_exit(wrong);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(std::filesystem::is_empty(dir.path()));
}
