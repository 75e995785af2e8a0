// SPDX-License-Identifier: BSD-3-Clause
#include "faults/fault.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace wirespool::test {
namespace {

namespace fs = std::filesystem;

constexpr auto second = std::chrono::seconds(1);

void must(const Command& command) {
  const auto result = run_process(command);
  if (!result.ok()) throw std::runtime_error(result.describe());
}

void remount(Scene& scene) {
  for (int tries = 0; tries < 300; ++tries) {  // until the capture has let go of it
    if (run_process({"umount", scene.drive.path()}).ok())
      return must({"mount", scene.drive.device(), scene.drive.path()});
    std::this_thread::sleep_for(second / 10);
  }
  throw std::runtime_error(scene.drive.path() + " is busy");
}

void fill(Scene& scene) {
  run_process({"dd", "if=/dev/zero", "of=" + scene.drive.path() + "/filler", "bs=64K", "oflag=direct", "status=none"});
}

void crowd(Scene& scene) {
  const auto inside = fs::path(scene.drive.path()) / "crowd";
  fs::create_directory(inside);
  for (int i = 0; std::ofstream(inside / std::to_string(i)); ++i) continue;
}

// Of blkio (cgroup v1): the unified one does not throttle what a process of another cgroup writes for it.
const fs::path throttle = "/sys/fs/cgroup/blkio/wirespool-test-faults";

std::string device_number(const Scene& scene) {
  struct stat status {};
  if (::stat(scene.drive.device().c_str(), &status) != 0) throw std::runtime_error(scene.drive.device());
  return std::to_string(major(status.st_rdev)) + ":" + std::to_string(minor(status.st_rdev));
}

void write_line(const fs::path& path, const std::string& line) {
  std::ofstream file(path);
  if (!(file << line << std::endl)) throw std::runtime_error(path.string() + " takes no " + line);
}

void slow_down(Scene& scene) {
  fs::create_directory(throttle);
  write_line(throttle / "blkio.throttle.write_bps_device", device_number(scene) + " 20000000");
  write_line(throttle / "cgroup.procs", std::to_string(scene.capture.process().pid()));
}

void speed_up(Scene& scene) {
  write_line(throttle.parent_path() / "cgroup.procs", std::to_string(scene.capture.process().pid()));
  fs::remove(throttle);
}

void delete_open_files(Scene& scene) {
  for (const auto& entry : fs::directory_iterator(scene.directory))
    if (entry.path().extension() == ".open") fs::remove(entry.path());
}

void send_signals(Scene& scene) {
  for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP, SIGPIPE, SIGALRM, SIGCHLD, SIGWINCH})
    for (int i = 0; i < 5; ++i) {
      scene.capture.process().send_signal(signal);
      std::this_thread::sleep_for(second / 100);
    }
}

std::vector<Fault> make_faults() {
  const auto filler = [](Scene& scene) { return fs::path(scene.drive.path()) / "filler"; };
  const auto nothing = [](Scene&) {};
  std::vector<Fault> all;
  all.push_back({.name = "nothing happens", .strike = nothing, .other_goes_on = true});
  all.push_back({.name = "it fills, and gets room",
                 .strike = fill,
                 .mend = [filler](Scene& scene) { fs::remove(filler(scene)); },
                 .state = "full",
                 .other_goes_on = true});
  all.push_back({.name = "no inode is left, then some",
                 .strike = crowd,
                 .mend = [](Scene& scene) { fs::remove_all(fs::path(scene.drive.path()) / "crowd"); },
                 .state = "",
                 .other_goes_on = true});
  all.push_back({.name = "it stands still for 10 s",
                 .strike =
                     [](Scene& scene) {
                       must({"fsfreeze", "--freeze", scene.drive.path()});
                     },
                 .mend =
                     [](Scene& scene) {
                       std::this_thread::sleep_for(10 * second);
                       must({"fsfreeze", "--unfreeze", scene.drive.path()});
                     },
                 .other_goes_on = true,
                 .holds_pwrite = true});
  all.push_back({.name = "it slows down to 20 MB/s",
                 .strike = slow_down,
                 .mend = speed_up,
                 .missing = []() -> std::optional<std::string> {
                   if (fs::exists(throttle.parent_path() / "blkio.throttle.write_bps_device")) return std::nullopt;
                   return "no blkio cgroup";
                 }});
  all.push_back({.name = "one write is EIO",
                 .strike = nothing,
                 .state = "",
                 .may_lose_unsynced = true,
                 .only_io = "pwrite",
                 .faulty_calls = "pwrite:20:1:5:000000.pcap.open",
                 .missing = []() -> std::optional<std::string> {
                   if (std::getenv("FAULTY_CALLS_MODULE")) return std::nullopt;
                   return "no FAULTY_CALLS_MODULE in the environment";
                 }});
  all.push_back({.name = "XFS goes down, is mounted again",
                 .file_system = "xfs",
                 .strike = [](Scene& scene) { scene.drive.go_down(LoopDrive::Journal::written); },
                 .mend = remount,
                 .state = "failed",
                 .other_goes_on = true});
  all.push_back({.name = "ext4 finds an error, is mounted again",
                 .strike = [](Scene& scene) { scene.drive.find_an_error(); },
                 .mend = remount,
                 .state = "failed",
                 .other_goes_on = true,
                 .may_lose_unsynced = true});
  all.push_back({.name = "umount -l",
                 .strike =
                     [](Scene& scene) {
                       must({"umount", "--lazy", scene.drive.path()});
                     },
                 .mend =
                     [](Scene& scene) {
                       must({"mount", scene.drive.device(), scene.drive.path()});
                     }});
  all.push_back({.name = "its directory is renamed, and back",
                 .strike = [](Scene& scene) { fs::rename(scene.directory, scene.directory.string() + ".moved"); },
                 .mend = [](Scene& scene) { fs::rename(scene.directory.string() + ".moved", scene.directory); }});
  all.push_back({.name = "its open files are deleted", .strike = delete_open_files, .state = ""});
  all.push_back({.name = "SIGSTOP for 2 s, SIGCONT", .strike = [](Scene& scene) {
                   scene.capture.process().send_signal(SIGSTOP);
                   std::this_thread::sleep_for(2 * second);
                   scene.capture.process().send_signal(SIGCONT);
                 }});
  all.push_back({.name = "signals nobody asked for", .strike = send_signals});
  all.push_back({.name = "SIGKILL",
                 .strike = [](Scene& scene) { scene.capture.process().send_signal(SIGKILL); },
                 .ends_the_capture = true});
  all.push_back({.name = "SIGSEGV",
                 .strike = [](Scene& scene) { scene.capture.process().send_signal(SIGSEGV); },
                 .ends_the_capture = true});
  return all;
}

}  // namespace

const std::vector<Fault>& faults() {
  static const auto all = make_faults();
  return all;
}

}  // namespace wirespool::test
