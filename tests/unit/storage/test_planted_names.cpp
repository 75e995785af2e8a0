// SPDX-License-Identifier: BSD-3-Clause
// Names that somebody who may write into the directory put there beforehand, so that a capture or a tool run by root
// writes into, or empties, a file of somebody else.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "storage/beneath.hpp"
#include "storage/direct_file.hpp"
#include "storage/directory_lock.hpp"
#include "storage/named_file.hpp"
#include "storage/output_file.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"
#include "support/catch.hpp"
#include "support/file_content.hpp"
#include "support/sandbox.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using wirespool::test::file_content;
using wirespool::test::skip;
using wirespool::test::TempDir;
namespace fs = std::filesystem;

namespace {

// A directory to write into, and a file elsewhere that must stay as it is.
struct Planted {
  TempDir temp;
  fs::path path = temp / "out";
  fs::path victim = temp / "victim";
  Directory directory;

  Planted() : directory(make(path)) { std::ofstream(victim) << "precious"; }
  static Directory make(const fs::path& path) {
    fs::create_directory(path);
    return std::move(*Directory::open(path.string()));
  }
  void plant(const std::string& name, bool hard) const {
    if (hard)
      fs::create_hard_link(victim, path / name);
    else
      fs::create_symlink(victim, path / name);
  }
  bool unharmed() const { return file_content(victim) == "precious"; }
};

const std::string text = "ours";
// What is no name of a file in a directory, whatever it might be meant for.
std::vector<std::string> ways_out(const Planted& planted) {
  return {"../victim", planted.victim.string(), "sub/file", "..", ".", "", std::string("victim\0.pcap", 12)};
}

// How many of the functions that make or open names took this one.
int takers(const Planted& planted, const std::string& name) {
  const auto& out = planted.directory;
  auto file = DirectFile::create(out, ".ours.open", DirectFile::Mode::buffered);
  if (!file) return -1;
  int taken = 0;
  taken += file->rename_to(name).has_value();
  if (file->fd() >= 0) (void)file->discard();
  taken += DirectFile::create(out, name, DirectFile::Mode::buffered).has_value();
  taken += DirectFile::adopt(out, name).has_value();
  taken += LineLog::create(out, name).has_value();
  taken += make_file(out, name, {}).has_value();
  taken += set_modified(out, name, 1).has_value();
  taken += ReadFile::open_in(out, name).has_value();
  taken += out.make(name).has_value();
  taken += put_marker(out, name);
  return taken;
}

std::span<const std::byte> bytes() { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE("a lock file that is a link to another file is refused, and that file stays as it is") {
  const bool hard = GENERATE(true, false);
  CAPTURE(hard);
  const Planted planted;
  planted.plant(".stem.lock", hard);
  const auto lock = DirectoryLock::take(planted.directory, "stem");
  REQUIRE_FALSE(lock);
  CHECK(lock.error().code == (hard ? EMLINK : ELOOP));
  CHECK(planted.unharmed());
  CHECK(fs::exists(planted.path / ".stem.lock"));
}

TEST_CASE("a lock file that is a FIFO is refused, and nobody waits for its other end") {
  const Planted planted;
  REQUIRE(::mkfifo((planted.path / ".stem.lock").c_str(), 0600) == 0);
  CHECK(DirectoryLock::take(planted.directory, "stem").error().code != 0);
}

TEST_CASE("no new file is made through a link, and none is opened that is there") {
  const bool hard = GENERATE(true, false);
  CAPTURE(hard);
  const Planted planted;
  for (const auto* name : {"hidden", "log", "marker"}) planted.plant(name, hard);
  CHECK(DirectFile::create(planted.directory, "hidden", DirectFile::Mode::buffered).error().code == EEXIST);
  CHECK(LineLog::create(planted.directory, "log").error().code == EEXIST);
  CHECK(put_marker(planted.directory, "marker"));
  CHECK(planted.unharmed());
}

TEST_CASE("no name leads out of its directory: not by .., not by /, not behind a NUL") {
  const bool old_kernel = GENERATE(false, true);
  CAPTURE(old_kernel);
  const Planted planted;
  fs::create_directory(planted.path / "sub");
  const auto all = ways_out(planted);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    const int taken = wirespool::test::in_child([&] {
      if (old_kernel && !wirespool::test::refuse({SYS_openat2, ENOSYS})) return wirespool::test::no_sandbox;
      return takers(planted, all[i]);
    });
    if (taken == wirespool::test::no_sandbox) return skip("a kernel without openat2", "no seccomp");
    CHECK(taken == 0);
  }
  CHECK(planted.unharmed());
  CHECK(fs::is_empty(planted.path / "sub"));
}

TEST_CASE("a name that is a link to a file or a directory is not followed, and the message says so") {
  const int refusal = GENERATE(0, ENOSYS, EPERM);
  CAPTURE(refusal);
  const Planted planted;
  planted.plant("link", false);
  fs::create_directory_symlink(planted.temp.path(), planted.path / "way");
  const auto says_so = [](const auto& done) {
    return !done && done.error().what.find("it is a symbolic link, which is not followed: ") != std::string::npos;
  };
  const int verdict = wirespool::test::in_child([&] {
    if (refusal && !wirespool::test::refuse({SYS_openat2, refusal})) return wirespool::test::no_sandbox;
    if (!says_so(DirectFile::create(planted.directory, "link", DirectFile::Mode::buffered))) return 1;
    if (!says_so(DirectFile::adopt(planted.directory, "link"))) return 2;
    if (!says_so(LineLog::create(planted.directory, "link"))) return 3;
    if (!says_so(ReadFile::open_in(planted.directory, "link"))) return 4;
    if (!says_so(make_file(planted.directory, "link", bytes()))) return 5;
    if (!says_so(planted.directory.make("way"))) return 6;
    return has_openat2() == (refusal == 0) ? 0 : 7;
  });
  if (verdict == wirespool::test::no_sandbox) return skip("a kernel without openat2", "no seccomp");
  CHECK(verdict == 0);
  CHECK(planted.unharmed());
}

TEST_CASE("files are for the owner and the group only, whatever the mask") {
  const Planted planted;
  const auto before = ::umask(0);
  CHECK(DirectFile::create(planted.directory, "file", DirectFile::Mode::buffered));
  CHECK(LineLog::create(planted.directory, "log"));
  CHECK(write_small_file(planted.directory, "small", bytes()));
  CHECK(make_file(planted.directory, "made", bytes()));
  CHECK(put_marker(planted.directory, "marker"));
  CHECK(OutputFile::create_hidden((planted.path / "output").string(), {})->close());
  ::umask(before);
  for (const auto* name : {"file", "log", "small", "made", "marker", "output"}) {
    CAPTURE(name);
    CHECK(fs::status(planted.path / name).permissions() == fs::perms(0640));
  }
}

TEST_CASE("a small file takes the place of a link, not of what it leads to") {
  const bool hard = GENERATE(true, false);
  CAPTURE(hard);
  const Planted planted;
  planted.plant("small", hard);
  planted.plant(".small.tmp", hard);
  REQUIRE(write_small_file(planted.directory, "small", bytes()));
  CHECK(file_content(planted.path / "small") == text);
  CHECK(planted.unharmed());
}

TEST_CASE("a hidden file that is a link is not taken over for repair") {
  const bool hard = GENERATE(true, false);
  CAPTURE(hard);
  const Planted planted;
  planted.plant(".a.open", hard);
  CHECK(DirectFile::adopt(planted.directory, ".a.open").error().code == (hard ? EMLINK : ELOOP));
}

TEST_CASE("a hidden file that is a FIFO is not taken over for repair, and nobody waits for its other end") {
  const Planted planted;
  REQUIRE(::mkfifo((planted.path / ".a.open").c_str(), 0600) == 0);
  CHECK_FALSE(DirectFile::adopt(planted.directory, ".a.open"));
}

TEST_CASE("an output overwrites a file of one name, and none that has others") {
  const Planted planted;
  std::ofstream(planted.path / "old") << "longer than ours";
  auto output = OutputFile::create((planted.path / "old").string(), {});
  REQUIRE(output);
  REQUIRE(output->write(bytes()));
  CHECK(output->close());
  CHECK(file_content(planted.path / "old") == text);

  planted.plant("linked", true);
  CHECK(OutputFile::create((planted.path / "linked").string(), {}).error().code == EMLINK);
  CHECK(planted.unharmed());
}

TEST_CASE("an output follows its user's own link, and none that another user made") {
  if (::geteuid() != 0) return skip("links of another user", "not root");
  const Planted planted;
  planted.plant("link", false);
  REQUIRE(::lchown((planted.path / "link").c_str(), 65534, 65534) == 0);
  CHECK(OutputFile::create((planted.path / "link").string(), {}).error().code == ELOOP);
  CHECK(planted.unharmed());
  REQUIRE(::lchown((planted.path / "link").c_str(), ::geteuid(), ::getegid()) == 0);
  CHECK(OutputFile::create((planted.path / "link").string(), {}));
  CHECK(file_content(planted.victim).empty());
}

TEST_CASE("a log that was removed says so instead of growing where nobody reads it") {
  const Planted planted;
  auto log = LineLog::create(planted.directory, "log");
  REQUIRE(log->append("one"));
  fs::remove(planted.path / "log");
  CHECK(log->append("two").error().code == ENOENT);
}

TEST_CASE("a directory that was removed is made again, and the descriptor is of the new one") {
  const Planted planted;
  REQUIRE(planted.directory.make_again());  // it is there: nothing to do
  fs::remove_all(planted.path);
  REQUIRE(planted.directory.make_again());
  CHECK(put_marker(planted.directory, "marker"));
  CHECK(fs::exists(planted.path / "marker"));
  fs::remove_all(planted.path);
  fs::create_directory_symlink(planted.temp.path(), planted.path);
  CHECK_FALSE(planted.directory.make_again());
}
