// SPDX-License-Identifier: BSD-3-Clause
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "format/file_name.hpp"
#include "record/seal_hook.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using namespace std::chrono_literals;
using record::SealHook;
namespace fs = std::filesystem;

namespace {

std::atomic<bool> drive_hangs{false};

}  // namespace

// Under the name it has in the C library: whether a file is there. It does not answer while the drive hangs.
extern "C" int hanging_faccessat(int directory, const char* name, int mode, int flags) __asm__("faccessat");
extern "C" int hanging_faccessat(int directory, const char* name, int mode, int flags) {
  while (drive_hangs) std::this_thread::sleep_for(1ms);
  return static_cast<int>(::syscall(SYS_faccessat2, directory, name, mode, flags));
}

namespace {

// A directory as a keeper and a hook see it. Commands write into `log`.
struct Rig {
  test::TempDir dir;
  fs::path log = dir / "log";
  storage::Directory directory = make();

  storage::Directory make() {
    fs::create_directory(dir / "drive");
    return *storage::Directory::open((dir / "drive").string());
  }
  std::string name(unsigned sequence) const {
    return format::format_file_name({"probe", Timestamp{1'763'711'670'000'000'000}, 0, sequence});
  }
  void make_file(unsigned sequence) const { std::ofstream(dir / "drive" / name(sequence)) << "pcap"; }
  void seal(SealHook& hook, unsigned sequence) const {
    hook.sealing(directory, name(sequence));
    make_file(sequence);
    hook.sealed(directory, name(sequence), {});
  }
  std::vector<std::string> logged() const {
    std::vector<std::string> lines;
    std::ifstream file(log);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::size_t markers() const {
    return static_cast<std::size_t>(std::ranges::count_if(fs::directory_iterator(dir / "drive"), [](const auto& entry) {
      return entry.path().extension() == ".on-seal";
    }));
  }
  record::SealHookOptions options(const std::string& command) const {
    return {
        .command = command, .stem = "probe", .timeout = 10s, .cpus = {}, .first_pause = 20ms, .longest_pause = 100ms};
  }
  std::string noting() const { return "note() { basename \"$1\" >>" + log.string() + "; }; note"; }
  // Fails until `open` is there.
  std::string gated() const {
    return "note() { test -e " + (dir / "open").string() + " && basename \"$1\" >>" + log.string() + "; }; note";
  }
};

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

}  // namespace

TEST_CASE("the command runs once for each sealed file, in order, and no marker stays") {
  const Rig rig;
  SealHook hook(rig.options(rig.noting()), {&rig.directory});
  hook.start();
  for (unsigned i = 0; i < 20; ++i) rig.seal(hook, i);
  CHECK(eventually([&] { return hook.finished(); }));
  std::vector<std::string> expected;
  for (unsigned i = 0; i < 20; ++i) expected.push_back(rig.name(i));
  CHECK(rig.logged() == expected);
  CHECK(rig.markers() == 0);
  CHECK(hook.counts().done == 20);
  CHECK(hook.counts().failed == 0);
}

TEST_CASE("a command that fails is run again until it succeeds, and each failure is counted") {
  const Rig rig;
  SealHook hook(rig.options(rig.gated()), {&rig.directory});
  hook.start();
  rig.seal(hook, 0);
  CHECK(eventually([&] { return hook.counts().failed >= 3; }));
  CHECK(hook.complaint().value_or("").find(rig.name(0) + ": exit code 1") != std::string::npos);
  CHECK(rig.markers() == 1);
  CHECK(hook.counts().pending == 1);
  std::ofstream(rig.dir / "open");
  CHECK(eventually([&] { return hook.finished(); }));
  CHECK(rig.logged() == std::vector{rig.name(0)});
  CHECK(hook.counts().done == 1);
  CHECK(rig.markers() == 0);
}

TEST_CASE("a file that keeps failing does not hold up the others") {
  const Rig rig;
  SealHook hook(rig.options("bad() { case $1 in *-000000.pcap) exit 1;; esac; }; bad \"$1\"; " + rig.noting()),
                {&rig.directory});
  hook.start();
  for (unsigned i = 0; i < 5; ++i) rig.seal(hook, i);
  CHECK(eventually([&] { return hook.counts().done == 4; }));
  CHECK(hook.counts().pending == 1);
}

TEST_CASE("what could not be run is left with its marker, and a later hook goes on with it") {
  const Rig rig;
  {
    SealHook hook(rig.options("false"), {&rig.directory});
    hook.start();
    for (unsigned i = 0; i < 3; ++i) rig.seal(hook, i);
    hook.last_call();
    CHECK(eventually([&] { return hook.finished(); }));
    CHECK(hook.counts().pending == 3);
  }
  CHECK(rig.markers() == 3);
  SealHook later(rig.options(rig.noting()), {&rig.directory});
  later.start();
  CHECK(eventually([&] { return later.finished(); }));
  CHECK(rig.logged() == std::vector{rig.name(0), rig.name(1), rig.name(2)});
  CHECK(rig.markers() == 0);
}

TEST_CASE("more files than are remembered are found again by their markers, each once") {
  const Rig rig;
  auto options = rig.options(rig.gated());
  options.most_waiting = 4;
  SealHook hook(options, {&rig.directory});
  hook.start();
  for (unsigned i = 0; i < 30; ++i) rig.seal(hook, i);
  CHECK(hook.counts().pending == 30);
  std::ofstream(rig.dir / "open");
  CHECK(eventually([&] { return hook.finished(); }));
  const auto logged = rig.logged();
  CHECK(logged.size() == 30);
  CHECK(std::set(logged.begin(), logged.end()).size() == 30);
  CHECK(hook.counts().pending == 0);
}

TEST_CASE("a command that hangs is ended when its time is up, and counts as failed") {
  const Rig rig;
  auto options = rig.options("sleep 600 #");
  options.timeout = 100ms;
  SealHook hook(options, {&rig.directory});
  hook.start();
  rig.seal(hook, 0);
  CHECK(eventually([&] { return hook.counts().failed >= 1; }));
  CHECK(hook.complaint().value_or("").find("took too long") != std::string::npos);
}

TEST_CASE("stopping ends a running command, and its file stays pending") {
  const Rig rig;
  SealHook hook(rig.options("sleep 600 #"), {&rig.directory});
  hook.start();
  rig.seal(hook, 0);
  std::this_thread::sleep_for(50ms);
  hook.stop();
  CHECK(hook.counts().pending == 1);
  CHECK(hook.counts().failed == 0);
  CHECK(rig.markers() == 1);
}

TEST_CASE("a drive that hangs while the hook looks at it holds up no keeper, and nobody who asks for the counts") {
  const Rig rig;
  SealHook hook(rig.options(rig.noting()), {&rig.directory});
  hook.start();
  drive_hangs = true;
  std::atomic<unsigned> told{0};
  std::thread keeper([&] {
    for (unsigned i = 0; i < 3; ++i, ++told) rig.seal(hook, i);
  });
  CHECK(eventually([&] { return told == 3; }));
  CHECK(hook.counts().pending == 3);
  drive_hangs = false;
  keeper.join();
  CHECK(eventually([&] { return hook.finished(); }));
  CHECK(rig.logged() == std::vector{rig.name(0), rig.name(1), rig.name(2)});
}

TEST_CASE("a marker whose file is gone is forgotten; one of another name is left alone") {
  const Rig rig;
  std::ofstream(rig.dir / "drive" / format::pending_file_name(rig.name(0)));
  const auto other = format::format_file_name({"other", Timestamp{1}, 0, 0});
  std::ofstream(rig.dir / "drive" / other);
  std::ofstream(rig.dir / "drive" / format::pending_file_name(other));
  SealHook hook(rig.options(rig.noting()), {&rig.directory});
  hook.start();
  CHECK(hook.finished());
  CHECK(rig.markers() == 1);
}
