// SPDX-License-Identifier: BSD-3-Clause
#include "machine/write_places.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "machine/sandbox.hpp"
#include "support/catch.hpp"
#include "support/sandbox.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
namespace fs = std::filesystem;

namespace {

constexpr int no_limit = 100, allowed = 101;

// Its verdict, in a child that writes only in `places` from then on.
int within(const std::vector<std::string>& places, const std::function<int()>& job) {
  return test::in_child([&] { return machine::write_only_in(places) ? job() : no_limit; });
}

bool cannot_be_tested() {
  if (machine::has_write_places() && within({}, [] { return 0; }) == 0) return false;
  test::skip("landlock", "this kernel, or a sandbox around this test, has none");
  return true;
}

int errno_of(long result) { return result < 0 ? errno : allowed; }

// Two directories, a file in each.
struct Ground {
  Ground() {
    for (const auto& directory : {ours, theirs}) {
      fs::create_directory(directory);
      std::ofstream(directory / "file") << "precious";
    }
  }
  test::TempDir root;
  fs::path ours = root / "ours", theirs = root / "theirs";
};

int open_to_write(const fs::path& path, int flags) { return errno_of(::open(path.c_str(), O_WRONLY | flags, 0600)); }

// Each is done in a directory.
struct Deed {
  const char* what;
  std::function<int(const fs::path&)> job;
};

std::vector<Deed> deeds() {
  return {
      {"open for writing", [](const fs::path& in) { return open_to_write(in / "file", 0); }},
      {"open to be emptied", [](const fs::path& in) { return open_to_write(in / "file", O_TRUNC); }},
      {"open to be made", [](const fs::path& in) { return open_to_write(in / "new", O_CREAT); }},
      {"rename", [](const fs::path& in) { return errno_of(::rename((in / "file").c_str(), (in / "f2").c_str())); }},
      {"remove", [](const fs::path& in) { return errno_of(::unlink((in / "file").c_str())); }},
      {"link", [](const fs::path& in) { return errno_of(::link((in / "file").c_str(), (in / "f3").c_str())); }},
      {"link by name", [](const fs::path& in) { return errno_of(::symlink("file", (in / "f4").c_str())); }},
      {"make a directory", [](const fs::path& in) { return errno_of(::mkdir((in / "new").c_str(), 0700)); }},
      {"make a pipe", [](const fs::path& in) { return errno_of(::mkfifo((in / "pipe").c_str(), 0600)); }},
  };
}

}  // namespace

TEST_CASE("writing, making, renaming and removing are given up everywhere but in the places that were said") {
  if (cannot_be_tested()) return;
  for (const auto& deed : deeds()) {
    CAPTURE(deed.what);
    const Ground ground;
    CHECK(within({ground.ours.string()}, [&] { return deed.job(ground.theirs); }) == EACCES);
    CHECK(within({}, [&] { return deed.job(ground.ours); }) == EACCES);
    CHECK(within({ground.ours.string()}, [&] { return deed.job(ground.ours); }) == allowed);
  }
}

TEST_CASE("a file that is to be written stands for its directory, a link also for the one it leads to") {
  if (cannot_be_tested()) return;
  const Ground ground;
  const auto file = ground.ours / "new.pcap", link = ground.root / "link";
  fs::create_symlink(ground.theirs / "file", link);
  const auto make = [&] { return open_to_write(ground.ours / ".new.pcap.part", O_CREAT); };
  const auto through = [&] { return open_to_write(link, O_TRUNC); };
  CHECK(within({file.string()}, make) == allowed);
  CHECK(within({link.string()}, through) == allowed);
  CHECK(within({file.string()}, through) == EACCES);
}

TEST_CASE("a device stands for itself alone, standard output for nothing, and what is missing for nothing") {
  if (cannot_be_tested()) return;
  const Ground ground;
  const auto to_null = [] { return open_to_write("/dev/null", O_TRUNC); };
  const auto to_zero = [] { return open_to_write("/dev/zero", 0); };
  CHECK(within({"/dev/null"}, to_null) == allowed);
  CHECK(within({"/dev/null"}, to_zero) == EACCES);
  CHECK(within({"-", "", "/nowhere/at/all"}, to_null) == EACCES);
  CHECK(within({"-"}, [] { return errno_of(::write(STDERR_FILENO, "", 0)); }) == allowed);
}

TEST_CASE("a pipe of the shell, >(command), can be written into") {
  if (cannot_be_tested()) return;
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const auto name = "/dev/fd/" + std::to_string(ends[1]);
  CHECK(within({name}, [&] { return open_to_write(name, 0); }) == allowed);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("files are still read everywhere, what is open is still written, and threads have given up the same") {
  if (cannot_be_tested()) return;
  const Ground ground;
  const int open = ::open((ground.theirs / "file").c_str(), O_WRONLY);
  REQUIRE(open >= 0);
  const auto reads = [&] { return errno_of(::open((ground.theirs / "file").c_str(), O_RDONLY)); };
  CHECK(within({ground.ours.string()}, reads) == allowed);
  CHECK(within({ground.ours.string()}, [&] { return errno_of(::pwrite(open, "P", 1, 0)); }) == allowed);
  const auto in_a_thread = [&] {
    std::atomic<int> verdict{0};
    std::thread([&] { verdict = open_to_write(ground.theirs / "file", 0); }).join();
    return verdict.load();
  };
  CHECK(within({ground.ours.string()}, in_a_thread) == EACCES);
  ::close(open);
}

TEST_CASE("a command that has confined itself to files can still give up writing elsewhere") {
  if (cannot_be_tested()) return;
  const Ground ground;
  const int verdict = test::in_child([&] {
    if (!machine::confine(machine::FilesLeft::write)) return no_limit;
    const std::vector<std::string> places{ground.ours.string()};
    if (!machine::write_only_in(places)) return 1;
    return open_to_write(ground.theirs / "file", 0) == EACCES ? 0 : 2;
  });
  if (verdict == no_limit) return test::skip("seccomp", "none here");
  CHECK(verdict == 0);
}
