// SPDX-License-Identifier: BSD-3-Clause
// A capture that opens as root and goes on as somebody who may do nothing else (--user).
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"
#include "support/sandbox.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/wait_until.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

const passwd* nobody() { return ::getpwnam("nobody"); }

// Directories of nobody, whom all that is above lets through, as the program's must.
struct NobodysBench : Bench {
  explicit NobodysBench(unsigned drives = 1) : Bench(drives) {
    fs::permissions(base.path(), fs::perms(0711));
    for (const auto& output : outputs) give(output);
  }
  static void give(const fs::path& directory) {
    if (::chown(directory.c_str(), nobody()->pw_uid, nobody()->pw_gid) != 0) throw std::runtime_error("chown");
  }
};

// Whether nobody can be become here, and reaches a test's directory: else says why not.
bool cannot_be_tested() {
  if (::geteuid() != 0) return skip("--user", "not root"), true;
  if (nobody() == nullptr) return skip("--user", "no user nobody"), true;
  const NobodysBench bench;
  const auto reaches = in_child([&] {
    if (::setgid(nobody()->pw_gid) != 0 || ::setuid(nobody()->pw_uid) != 0) return 1;
    return ::access(bench.outputs[0].c_str(), W_OK | X_OK) == 0 ? 0 : 2;
  });
  if (reaches != 0) skip("--user", "nobody cannot be become, or is kept from " + bench.base.str());
  return reaches != 0;
}

bool has_sandbox() {
  return run_process({wirespool_program(), "--version"}).out.find("without libseccomp") == std::string::npos;
}

using Status = std::map<std::string, std::string>;  // of a task: proc_pid_status(5)

std::vector<Status> tasks_of(pid_t pid) {
  std::vector<Status> tasks;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream file(task.path() / "status");
    Status status;
    for (std::string line; std::getline(file, line);)
      if (const auto colon = line.find(":\t"); colon != std::string::npos)
        status[line.substr(0, colon)] = line.substr(colon + 2);
    if (!status.empty()) tasks.push_back(std::move(status));
  }
  return tasks;
}

// The first right that a task has left, or "".
std::string right_left(const Status& task) {
  const auto uid = std::to_string(nobody()->pw_uid), gid = std::to_string(nobody()->pw_gid);
  const auto four = [](const std::string& id) { return id + "\t" + id + "\t" + id + "\t" + id; };
  const Status wanted{{"Uid", four(uid)},
                      {"Gid", four(gid)},
                      {"CapInh", std::string(16, '0')},
                      {"NoNewPrivs", "1"},
                      {"CapPrm", std::string(16, '0')},
                      {"CapEff", std::string(16, '0')},
                      {"CapAmb", std::string(16, '0')},
                      {"Seccomp", has_sandbox() ? "2" : "0"}};
  for (const auto& [name, value] : wanted)
    if (task.at(name) != value) return task.at("Name") + ": " + name + " is " + task.at(name);
  std::istringstream groups(task.at("Groups"));
  for (std::string group; groups >> group;)
    if (group == "0") return task.at("Name") + ": in the group of root";
  return "";
}

// Files that are not nobody's, or that others than the owner and the group may look at.
std::string strange_file(const Paths& directories) {
  for (const auto& directory : directories)
    for (const auto& entry : fs::directory_iterator(directory)) {
      struct stat status {};
      if (::lstat(entry.path().c_str(), &status) != 0) return entry.path().string() + ": gone";
      if (status.st_uid != nobody()->pw_uid || (status.st_mode & 07777) != 0640) return entry.path().string();
    }
  return "";
}

constexpr std::uint64_t packets = 2'000;

// A capture as nobody that has nothing more to receive after so many, and goes on until it is stopped.
CaptureCommand finite(const Bench& bench, const Command& more) {
  write_trace({.kind = "imix", .packets = packets}, bench.trace());
  Command options{"--user", "nobody", "--idle-exit", "300s", "--stats-interval", "20ms", "--block-size", "64KiB"};
  options.insert(options.end(), more.begin(), more.end());
  return {.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = options};
}

std::size_t lines_with(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) count += line.find(what) != std::string::npos;
  return count;
}

}  // namespace

TEST_CASE("once a capture is another user, none of its tasks has a right left, and files and hook go on") {
  if (cannot_be_tested()) return;
  const auto handoff = GENERATE(as<std::string>(), "packets", "blocks");
  CAPTURE(handoff);
  const NobodysBench bench(2);
  const auto told = bench.base / "hook";
  fs::create_directory(told);
  NobodysBench::give(told);
  LiveCapture capture(finite(bench, {"--handoff", handoff, "--rotate-size", "256KiB", "--index", "flow", "--on-seal",
                                     "id -un >>" + (told / "users").string() + "; true"}));
  REQUIRE(capture.wait_for_total("received", packets));
  const auto tasks = tasks_of(capture.process().pid());
  CHECK(tasks.size() > 6);  // the control thread, two lcores, two keepers, the hook's, EAL's own
  for (const auto& task : tasks) CHECK(right_left(task) == "");
  const auto two_lists = [](const Status& task) {  // io_uring's workers have what the lcore has that they work for
    return !task.at("Name").starts_with("iou-") && task.contains("Seccomp_filters") &&  // since Linux 5.9
           task.at("Seccomp_filters") == "2";
  };
  if (has_sandbox() && tasks[0].contains("Seccomp_filters"))
    CHECK(std::ranges::count_if(tasks, two_lists) == 2);  // an lcore's are the process's and its own
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == packets);
  CHECK(strange_file(bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  std::ifstream users(told / "users");
  std::size_t sealed = 0;
  for (std::string user; std::getline(users, user); ++sealed) CHECK(user == "nobody");
  CHECK(sealed == sealed_files(bench.outputs).size());
  CHECK_THAT(result.process.err, !Catch::Contains("not permitted") && !Catch::Contains("ermission denied"));
}

TEST_CASE("a scrape is answered by a capture that is nobody") {
  if (cannot_be_tested()) return;
  const NobodysBench bench;
  const auto port = free_port();
  LiveCapture capture(finite(bench, {"--metrics", ":" + std::to_string(port)}));
  if (capture.process().wait_for_output("built without cpp-httplib", Seconds(1)))
    return skip("metrics as nobody", "built without cpp-httplib");
  REQUIRE(capture.wait_for_total("received", packets));
  CHECK_THAT(get(port, "/metrics"), Catch::Contains("wirespool_received_packets_total"));
  CHECK(check_capture(capture.stop(), bench.outputs) == "");
}

TEST_CASE("frames of an interface are stored to the last one by a capture that is nobody") {
  if (cannot_be_tested()) return;
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet as nobody", why);
  const NobodysBench bench;
  const NetNamespace where;
  const VethPair veth(&where);
  const auto trace = make_trace({.kind = "imix", .packets = 2'000});
  write_pcap(trace, bench.trace());
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = bench.outputs,
                       .options = {"--user", "nobody", "--stats-interval", "10ms", "--rotate-size", "256KiB",
                                   "--block-size", "64KiB", "--retain-size", "1GiB"},
                       .inside = &where});
  REQUIRE(capture.wait_until_running());
  CHECK(send_windowed({&where, veth.left()}, trace, capture));
  REQUIRE(capture.wait_for_total("received", trace.size()));
  for (const auto& task : tasks_of(capture.process().pid())) CHECK(right_left(task) == "");
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == trace.size());
  CHECK(strange_file(bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

TEST_CASE("a file that was deleted is saved by nobody as by root") {
  if (cannot_be_tested()) return;
  const NobodysBench bench;
  LiveCapture capture(finite(bench, {"--sync-age", "50ms", "--flush-age", "20ms"}));
  REQUIRE(capture.wait_for_total("stored", packets));
  unsigned removed = 0;
  for (const auto& entry : fs::directory_iterator(bench.outputs[0]))
    if (entry.path().string().ends_with(".pcap.open")) removed += fs::remove(entry.path());
  CHECK(removed > 0);
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(result.total("stored") == packets);
  CHECK(strange_file(bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

TEST_CASE("a directory that was removed under a capture is made again where nobody may, and nowhere else") {
  if (cannot_be_tested()) return;
  const bool may = GENERATE(true, false);
  CAPTURE(may);
  const NobodysBench bench;
  if (may) NobodysBench::give(bench.base.path());
  LiveCapture capture(finite(bench, {"--sync-age", "50ms", "--flush-age", "20ms"}));
  REQUIRE(capture.wait_for_total("stored", packets));
  std::error_code busy;
  for (int i = 0; i < 1'000 && fs::exists(bench.outputs[0]); ++i) fs::remove_all(bench.outputs[0], busy);
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == (may ? 0 : 3));
  CHECK(fs::exists(bench.outputs[0]) == may);
  CHECK(result.total("stored") == (may ? packets : 0));
  CHECK(result.total("drop_drive") == (may ? 0 : packets));
  if (!may) return;
  CHECK(strange_file(bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
}

struct Refused {
  const char* what;
  Command options;  // BASE stands for the bench's directory
  int exit_code;
  const char* says;
};

TEST_CASE("what the user may not do is told in one line before anything is opened") {
  if (cannot_be_tested()) return;
  const auto refused = GENERATE(values<Refused>({
      {"a directory of somebody else",
       {"--user", "nobody", "--output", "BASE/roots"},
       2,
       "user nobody may not write into it: chown nobody"},
      {"flows in a directory of somebody else",
       {"--user", "nobody", "--output", "BASE/drive0", "--flows", "BASE/roots"},
       2,
       "Permission denied"},
      {"an archive of somebody else",
       {"--user", "nobody", "--output", "BASE/drive0", "--archive", "BASE/roots"},
       2,
       "Permission denied"},
      {"a user who is not there", {"--user", "nobody-at-all", "--output", "BASE/drive0"}, 1, "there is no user"},
      {"root", {"--user", "root", "--output", "BASE/drive0"}, 1, "root is root"},
  }));
  CAPTURE(refused.what);
  const NobodysBench bench;
  fs::create_directory(bench.base / "roots");
  fs::permissions(bench.base / "roots", fs::perms(0755));
  auto options = refused.options;
  for (auto& option : options)
    if (option.starts_with("BASE")) option.replace(0, 4, bench.base.str());
  const auto result = run_capture({.vdevs = {"net_null0"}, .outputs = {}, .options = options});
  INFO(result.describe());
  CHECK(result.process.exit_code == refused.exit_code);
  CHECK(lines_with(result.process.err, "wirespool: --") == 1);
  CHECK_THAT(result.process.err, Catch::Contains(refused.says));
  CHECK(fs::is_empty(bench.outputs[0]));
  CHECK(fs::is_empty(bench.base / "roots"));
}

TEST_CASE("whoever is not root becomes nobody else, and is told what that takes") {
  if (cannot_be_tested()) return;
  if (!have_program("setpriv")) return skip("--user without rights", "no setpriv");
  const NobodysBench bench;
  const auto become = [&](const char* user) {
    return run_process({"setpriv", "--reuid=nobody", "--regid=" + std::to_string(nobody()->pw_gid), "--clear-groups",
                        wirespool_program(), "capture", "--no-huge", "--no-pci", "--", "--user", user, "--output",
                        bench.outputs[0].string()});
  };
  if (become("nobody-at-all").exit_code != 1) return skip("--user without rights", "nobody cannot run the program");
  const auto other = become("daemon");
  INFO(other.describe());
  CHECK(other.exit_code == 2);
  CHECK(lines_with(other.err, "may not become daemon: that takes CAP_SETUID and CAP_SETGID: start it as root") == 1);
}
