// SPDX-License-Identifier: BSD-3-Clause
// Bad input: one clear line, the right exit code, nothing left behind.
#include <algorithm>
#include <fstream>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "support/catch.hpp"
#include "support/eal_options.hpp"
#include "support/loop_drive.hpp"
#include "support/skip.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// "wirespool: what: why: what to do", once; a driver's own lines may stand above it.
std::string check_error_line(const std::string& err) {
  const auto found = ("\n" + err).find("\nwirespool: ");
  if (found == std::string::npos) return "no line of ours: " + err;
  const auto ours = err.substr(found);
  if (ours.find('\n') + 1 != ours.size()) return "more than one line: " + err;
  return count_of(ours, ": ") >= 3 ? "" : "not what, why and what to do: " + ours;
}

std::vector<std::string> tree_of(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) names.push_back(entry.path());
  std::ranges::sort(names);
  return names;
}

struct Refusal {
  const char* what;
  Command options;  // BASE stands for the bench's directory
  int exit_code;
  const char* says;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) { return out << refusal.what; }

Command in_directory(Command options, const fs::path& base) {
  for (auto& option : options)
    if (const auto at = option.find("BASE"); at != std::string::npos) option.replace(at, 4, base.string());
  return options;
}

// A directory, a file and a link to the directory.
struct Ground {
  TempDir base;
  Ground() {
    fs::create_directory(base / "drive");
    fs::create_directory_symlink(base / "drive", base / "link");
    std::ofstream(base / "file") << "text";
    std::ofstream(base / "leads-out.toml") << "output = [\"" << (base / "drive").string() << "\"]\nname = \"../x\"\n";
  }
};

ProcessResult refuse(const Ground& ground, const Command& options, std::vector<std::string> vdevs = {"net_null0"}) {
  return run_capture({.vdevs = std::move(vdevs), .outputs = {}, .options = in_directory(options, ground.base.path())})
      .process;
}

const Refusal refusals[] = {
    {"no such directory", {"--output", "BASE/none"}, 2, "BASE/none"},
    {"a file instead of a directory", {"--output", "BASE/file"}, 2, "BASE/file"},
    {"no directory at all", {}, 1, "--output"},
    {"the same drive twice", {"--output", "BASE/drive", "--output", "BASE/drive"}, 1, "twice"},
    {"the same drive twice, once with a slash", {"--output", "BASE/drive", "--output", "BASE/drive/"}, 1, "twice"},
    {"the same drive again through a link", {"--output", "BASE/drive", "--output", "BASE/link"}, 1, "BASE/link"},
    {"an unknown option", {"--output", "BASE/drive", "--fast"}, 1, "--fast"},
    {"an option that nobody knows", {"--output", "BASE/drive", "--turbo", ":8443"}, 1, "--turbo"},
    {"an address to serve at that is none", {"--output", "BASE/drive", "--metrics", "here"}, 1, "--metrics"},
    {"a size that is none", {"--output", "BASE/drive", "--block-size", "1Mi"}, 1, "--block-size"},
    {"a time that is none", {"--output", "BASE/drive", "--duration", "ten"}, 1, "--duration"},
    {"a time without a unit's meaning", {"--output", "BASE/drive", "--flush-age", "0s"}, 1, "--flush-age"},
    {"a snaplen of 0", {"--output", "BASE/drive", "--snaplen", "0"}, 1, "--snaplen"},
    {"a Block that is no multiple of 512", {"--output", "BASE/drive", "--block-size", "1000000"}, 1, "--block-size"},
    {"a name with a slash", {"--output", "BASE/drive", "--name", "a/b"}, 1, "--name"},
    {"a name that leads out of its directory", {"--output", "BASE/drive", "--name", "../x"}, 1, "--name"},
    {"a name that is a path", {"--output", "BASE/drive", "--name", "/tmp/x"}, 1, "--name"},
    {"a name of two lines", {"--output", "BASE/drive", "--name", "a\nb"}, 1, "--name"},
    {"a name in a configuration that leads out", {"--config", "BASE/leads-out.toml"}, 1, "name"},
    {"a port that is not there", {"--output", "BASE/drive", "--port", "7"}, 2, "net_null0"},
    {"more writers than lcores", {"--output", "BASE/drive", "--writer-lcores", "2,3"}, 1, "--writer-lcores"},
    {"an lcore that does two things",
     {"--output", "BASE/drive", "--rx-lcores", "1", "--writer-lcores", "1"},
     1,
     "lcore 1"},
    {"too few Blocks", {"--output", "BASE/drive", "--blocks", "1"}, 1, "--blocks"},
    {"a clock no port has", {"--output", "BASE/drive", "--timestamp", "hw"}, 2, "--timestamp"},
};

}  // namespace

TEST_CASE("arguments that EAL cannot read are wrong use, also where it ends the process over them itself") {
  const Bench bench;
  const auto run_with = [&bench](const Command& eal) {
    auto command = command_line({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "1000"}});
    command.insert(command.begin() + 2, eal.begin(), eal.end());
    return run_process(command);
  };
  const auto wrong = run_with({"--base-virtaddr", "nothing"});
  INFO(wrong.describe());
  CHECK(wrong.exit_code == 1);
  CHECK_THAT(wrong.err, Catch::Contains("wirespool: EAL: DPDK"));
  const auto twice = run_with({"--file-prefix", "wst-twice"});  // another one is there already; taken before 25.11
  INFO(twice.describe());
  CHECK((twice.exit_code == 0 || twice.exit_code == 1));
  if (twice.exit_code == 1) CHECK_THAT(twice.err, Catch::Contains("wirespool: EAL: DPDK refused its arguments"));
}

TEST_CASE("bad input is told in one line and leaves nothing behind") {
  const auto refusal = GENERATE(from_range(std::begin(refusals), std::end(refusals)));
  CAPTURE(refusal);
  const Ground ground;
  const auto before = tree_of(ground.base.path());
  const auto result = refuse(ground, refusal.options);
  INFO(result.describe());
  CHECK(result.exit_code == refusal.exit_code);
  CHECK(check_error_line(result.err) == "");
  CHECK_THAT(result.err, Catch::Contains(in_directory({refusal.says}, ground.base.path())[0]));
  CHECK(result.out.empty());
  CHECK(tree_of(ground.base.path()) == before);
}

TEST_CASE("a directory that every user may write into is told, and taken") {
  const Bench bench;
  fs::permissions(bench.outputs[0], fs::perms::others_write, fs::perm_options::add);
  const auto result = run_capture({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "1000"}});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(count_of(result.process.err, "every user may write into it: chmod o-w " + bench.outputs[0].string()) == 1);
  CHECK(count_of(result.process.err, "every user may write into it") == 1);
}

TEST_CASE("a machine without a port is told what to bind or to give") {
  const Ground ground;
  const auto result = refuse(ground, {"--output", "BASE/drive"}, {});
  INFO(result.describe());
  CHECK(result.exit_code == 2);
  CHECK(check_error_line(result.err) == "");
  CHECK_THAT(result.err, Catch::Contains("port") && Catch::Contains("--vdev"));
  CHECK(fs::is_empty(ground.base / "drive"));
}

TEST_CASE("too few lcores are told with how many are needed") {
  const Ground ground;
  const auto result =
      run_capture({.vdevs = {"net_null0"}, .outputs = {ground.base / "drive"}, .options = {}, .lcores = 1}).process;
  INFO(result.describe());
  CHECK((result.exit_code == 1 || result.exit_code == 2));
  CHECK(check_error_line(result.err) == "");
  CHECK_THAT(result.err, Catch::Contains("lcores") && Catch::Contains("3"));
  CHECK(fs::is_empty(ground.base / "drive"));
}

TEST_CASE("a CPU outside the cpuset is named before EAL aborts over it") {
  const Ground ground;
  auto command = command_line({.vdevs = {"net_null0"}, .outputs = {ground.base / "drive"}, .options = {}});
  *(std::ranges::find(command, "--lcores") + 1) = "0@0,1@0,2@4000";
  const auto result = run_process(command);
  INFO(result.describe());
  CHECK(result.exit_code == 2);
  CHECK(check_error_line(result.err) == "");
  CHECK_THAT(result.err, Catch::Contains("4000"));
  CHECK(fs::is_empty(ground.base / "drive"));
}

TEST_CASE("a capture that does not fit into memory says how much it takes") {
  const Ground ground;
  const auto result = refuse(ground, {"--output", "BASE/drive", "--blocks", "1000000"});
  INFO(result.describe());
  CHECK(result.exit_code == 2);
  CHECK(check_error_line(result.err) == "");
  const bool huge = enough_hugepages(192);
  CHECK_THAT(result.err, Catch::Contains(huge ? "nr_hugepages" : "-m "));
  CHECK(fs::is_empty(ground.base / "drive"));
}

TEST_CASE("a read-only drive is refused") {
  if (const auto missing = LoopDrive::missing()) return skip("loop drives", *missing);
  const Ground ground;
  const LoopDrive drive({.file_system = "ext4", .bytes = 16u << 20});
  drive.make_read_only();
  const auto result = refuse(ground, {"--output", drive.path()});
  INFO(result.describe());
  CHECK(result.exit_code == 2);
  CHECK(check_error_line(result.err) == "");
  CHECK_THAT(result.err, Catch::Contains(drive.path()) && Catch::Contains("ead-only"));
}

// ramfs has pages and nothing below them: open(2) refuses O_DIRECT there.
struct RamFs {
  TempDir base;
  bool mounted = run_process({"mount", "-t", "ramfs", "none", base.str()}).ok();
  ~RamFs() {
    if (mounted) run_process({"umount", base.str()});
  }
};

TEST_CASE("a file system without O_DIRECT is refused by name, unless buffered writes are asked for") {
  const RamFs drive;
  if (!drive.mounted) return skip("a file system without O_DIRECT", "ramfs cannot be mounted here");
  const Ground ground;
  const auto refused = refuse(ground, {"--output", drive.base.str()});
  INFO(refused.describe());
  CHECK(refused.exit_code == 2);
  CHECK(check_error_line(refused.err) == "");
  CHECK_THAT(refused.err, Catch::Contains("ramfs") && Catch::Contains("O_DIRECT") && Catch::Contains("--io pwrite"));
  CHECK(fs::is_empty(drive.base.path()));
  const auto allowed = run_capture(
      {.vdevs = {"net_null0"}, .outputs = {drive.base.path()}, .options = {"--io", "pwrite", "--packets", "10000"}});
  CHECK(check_capture(allowed, {drive.base.path()}) == "");
  CHECK_THAT(allowed.process.err, Catch::Contains("ramfs"));
}

namespace {

// The keeper of a drive writes these two when it comes to it.
void wait_for_files_of(const std::filesystem::path& output) {
  const auto has = [&](std::string_view ending) {
    return std::ranges::any_of(tree_of(output), [&](const auto& name) { return std::string(name).ends_with(ending); });
  };
  while (!has(".capture.json") || !has(".ledger.jsonl")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

}  // namespace

TEST_CASE("two captures into one directory need two names, and the first goes on") {
  const Bench bench;
  LiveCapture first({.vdevs = {"net_ring0"}, .outputs = bench.outputs, .options = {"--stats-interval", "10ms"}});
  REQUIRE(first.process().wait_for_output("elapsed_ns", Seconds(60)));
  wait_for_files_of(bench.outputs[0]);
  const auto before = tree_of(bench.outputs[0]);
  const auto second = run_capture({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "1000"}});
  INFO(second.describe());
  CHECK(second.process.exit_code == 2);
  CHECK(check_error_line(second.process.err) == "");
  CHECK_THAT(second.process.err, Catch::Contains(std::to_string(first.process().pid())) && Catch::Contains("--name"));
  CHECK(tree_of(bench.outputs[0]) == before);
  const auto other = run_capture(
      {.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "1000", "--name", "other"}});
  CHECK(other.process.ok());
  CHECK(other.total("stored") == 1'000);
  CHECK(first.stop().process.ok());
}

TEST_CASE("a dry run prints the plan and leaves nothing") {
  const Ground ground;
  const auto result = refuse(ground, {"--output", "BASE/drive", "--dry-run"});
  INFO(result.describe());
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, Catch::Contains("net_null0") && Catch::Contains("lcores") && Catch::Contains("memory"));
  CHECK(fs::is_empty(ground.base / "drive"));
}
