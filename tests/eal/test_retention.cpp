// SPDX-License-Identifier: BSD-3-Clause
// Drives that a running capture keeps within limits, and full ones that have room again.
#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "format/file_name.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/outside_tools.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mib = 1 << 20;

bool skip_without_loop() {
  const auto missing = LoopDrive::missing();
  if (missing) skip("loop drives", *missing);
  return missing.has_value();
}

std::uint64_t packets_in(const fs::path& directory) {
  std::uint64_t packets = 0;
  for (const auto& file : read_sealed_files({directory})) packets += file.packets.size();
  return packets;
}

// Of the files of each writer that are there.
std::map<unsigned, std::set<unsigned>> sequences_in(const fs::path& directory) {
  std::map<unsigned, std::set<unsigned>> sequences;
  for (const auto& path : sealed_files({directory})) {
    const auto name = wirespool::format::parse_file_name(path.filename().string());
    REQUIRE(name);
    sequences[name->writer].insert(name->sequence);
  }
  return sequences;
}

// What find(1) sees besides sealed files with their indices and the three files of a capture.
std::string other_names_in(const fs::path& directory) {
  const auto found = run_process({"find",
                                  directory,
                                  "-mindepth",
                                  "1",
                                  "!",
                                  "-name",
                                  "lost+found",
                                  "!",
                                  "-name",
                                  "*.pcap",
                                  "!",
                                  "-name",
                                  "*.idx",
                                  "!",
                                  "-name",
                                  "*.capture.json",
                                  "!",
                                  "-name",
                                  "*.ledger.jsonl",
                                  "!",
                                  "-name",
                                  "*.removed.json"});
  REQUIRE(found.ok());
  return found.out;
}

}  // namespace

TEST_CASE("with --retain-free a capture at full rate goes through its drive several times over and loses nothing") {
  if (skip_without_loop()) return;
  const auto* const file_system = GENERATE("ext4", "xfs");
  const auto* const handoff = GENERATE("packets", "blocks");
  CAPTURE(file_system, handoff);
  const Bench bench;
  const LoopDrive drive({.file_system = file_system, .bytes = 320 * mib});  // XFS takes no less than 300
  const fs::path output = drive.path();
  write_trace({.kind = "mixed", .packets = 1'000}, bench.trace());
  const auto result =
      run_capture({.vdevs = {replay_of({bench.trace()}, true)},
                   .outputs = {output},
                   .options = {"--bytes", "600MiB", "--rotate-size", "8MiB", "--retain-free", "60%", "--when-full",
                               "wait", "--block-size", "256KiB", "--handoff", handoff, "--stats-interval", "100ms"}});
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(result.total("drop_drive") == 0);
  CHECK(result.total("stored") == result.total("received"));
  for (const auto& line : result.ledger) CHECK(drive_of(line, output).at("state") == "ok");
  const auto removed = drive_of(result.last(), output).at("removed");
  CHECK(removed.at("bytes") > 400 * mib);
  CHECK(packets_in(output) + removed.at("packets").get<std::uint64_t>() == result.total("stored"));
  const auto space = fs::space(output);
  CHECK(space.available >= space.capacity / 100 * 60);
  CHECK(other_names_in(output) == "");
  CHECK(ask_outside({output}) == "");
  CHECK(check_indexes({output}) == "");
  for (const auto& [writer, numbers] : sequences_in(output)) {
    CHECK(numbers.size() == *numbers.rbegin() - *numbers.begin() + 1);  // the newest, without a hole
    CHECK(*numbers.begin() > 0);
  }
  const auto verified = run_process({wirespool_program(), "verify", output});
  INFO(verified.describe());
  CHECK(verified.exit_code == 0);
  CHECK_THAT(verified.out, Catch::Contains("retention removed"));

  const auto pinned = run_process({wirespool_program(), "keep", "--from", "-1h", "--reason", "a test", output});
  CHECK(pinned.exit_code == 0);
  const auto files = sealed_files({output});
  const auto vain = run_process({wirespool_program(), "retain", "--free", "90%", output});
  CHECK(vain.exit_code == 1);
  CHECK_THAT(vain.out, Catch::Contains("pinned"));
  CHECK(sealed_files({output}) == files);
  CHECK(run_process({wirespool_program(), "keep", "--release", output}).exit_code == 0);
  CHECK(run_process({wirespool_program(), "retain", "--size", "20MiB", output}).exit_code == 0);
  CHECK(sealed_files({output}).size() <= 3);  // of 8 MiB, the last one shorter
  CHECK(run_process({wirespool_program(), "verify", output}).exit_code == 0);
}

TEST_CASE("a pinned file outlives a capture that removes all others, and an older capture's files go before its own") {
  const Bench bench;
  const auto& output = bench.outputs[0];
  write_trace({.kind = "mixed", .packets = 1'000}, bench.trace());
  const auto capture = [&](const Command& more) {
    Command options = {"--bytes", "64MiB", "--rotate-size", "4MiB", "--when-full", "wait", "--block-size", "256KiB"};
    options.insert(options.end(), more.begin(), more.end());
    return run_capture({.vdevs = {replay_of({bench.trace()}, true)}, .outputs = {output}, .options = options});
  };
  REQUIRE(capture({}).process.exit_code == 0);
  const auto before = sealed_files({output});
  REQUIRE(before.size() > 10);
  const auto keep = before[3].string() + ".keep";
  REQUIRE(run_process({"touch", keep}).ok());
  const auto result = capture({"--retain-size", "20MiB"});
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  CHECK(result.total("drop_drive") == 0);
  const auto after = sealed_files({output});
  CHECK(std::ranges::find(after, before[3]) != after.end());
  CHECK(std::ranges::count_if(after, [&](const auto& path) { return std::ranges::count(before, path) != 0; }) == 1);
  std::uint64_t bytes = 0;
  for (const auto& path : after)
    if (path != before[3]) bytes += fs::file_size(path);
  CHECK(bytes <= 20 * mib);
  CHECK(bytes > 8 * mib);
  const auto verified = run_process({wirespool_program(), "verify", output});
  INFO(verified.describe());
  CHECK(verified.exit_code == 0);
}

TEST_CASE("a drive that was full takes Blocks again when somebody makes room") {
  if (skip_without_loop()) return;
  const auto* const handoff = GENERATE("packets", "blocks");
  CAPTURE(handoff);
  const Bench bench;
  LoopDrive small({.file_system = "ext4", .bytes = 200 * mib});
  small.leave_free(8 * mib);  // more than the 2 % that ext4 keeps from fallocate
  const fs::path drive = small.path();
  write_trace({.kind = "mixed", .packets = 1'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = {drive, bench.outputs[0]},
                       .options = {"--rotate-size", "4MiB", "--retain-size", "64MiB", "--when-full", "wait",
                                   "--block-size", "256KiB", "--handoff", handoff, "--stats-interval", "50ms"}});
  REQUIRE(capture.process().wait_for_output("\"state\":\"full\"", Seconds(60)));
  fs::remove(drive / "filler");
  REQUIRE(capture.process().wait_for_output("takes Blocks again", Seconds(30)));
  const auto at = drive_of(capture.newest(), drive).at("blocks").get<std::uint64_t>();
  const auto more = [&] { return drive_of(capture.newest(), drive).at("blocks") > at + 100; };
  for (int i = 0; i < 3'000 && !more(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(more());
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(result.total("drop_drive") == 0);
  CHECK(drive_of(result.last(), drive).at("state") == "ok");
  std::uint64_t removed = 0, held = 0;
  for (const auto& path : {drive, bench.outputs[0]}) {
    removed += drive_of(result.last(), path).at("removed").at("packets").get<std::uint64_t>();
    held += packets_in(path);
  }
  CHECK(held + removed == result.total("stored"));
  CHECK(run_process({wirespool_program(), "verify", drive, bench.outputs[0]}).exit_code == 0);
}

TEST_CASE("lcores go on while the thread that removes files hangs, and it removes the more afterwards") {
  if (sanitized) return skip("faulty calls", "a sanitizer wants nothing preloaded before it");
  const Bench bench;
  write_trace({.kind = "mixed", .packets = 1'000}, bench.trace());
  CaptureCommand command{.vdevs = {replay_of({bench.trace()}, true)},
                         .outputs = bench.outputs,
                         .options = {"--rotate-size", "2MiB", "--retain-size", "8MiB", "--when-full", "wait",
                                     "--block-size", "256KiB", "--stats-interval", "20ms"}};
  command.under = with_faulty_calls("unlinkat:0:1:-1500:removed.json");  // before it says what it removed
  LiveCapture capture(command);
  const auto removed = [](const Json& line) {
    return drive_of(line, line.at("drives").at(0).at("path").get<std::string>()).at("removed").at("files").get<int>();
  };
  REQUIRE(capture.wait_until_running());
  for (int i = 0; i < 3'000 && (!capture.newest().is_object() || removed(capture.newest()) < 20); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  // Between two lines it removed nothing for so long, and all the time more was stored.
  std::uint64_t longest_ns = 0, stored = 0;
  for (std::size_t begin = 0, end = 1; end < result.ledger.size(); ++end) {
    const auto &from = result.ledger[begin], &to = result.ledger[end];
    if (removed(from) != removed(to)) begin = end;
    const auto ns = to.at("elapsed_ns").get<std::uint64_t>() - from.at("elapsed_ns").get<std::uint64_t>();
    if (begin == end || ns < longest_ns) continue;
    longest_ns = ns;
    const auto field = [](const Json& line) { return line.at("totals").at("stored_bytes").get<std::uint64_t>(); };
    stored = field(to) - field(from);
  }
  CHECK(longest_ns > 1'300'000'000);
  CHECK(stored > 40 * mib);  // five times what retention leaves
  CHECK(removed(result.last()) >= 20);
}

TEST_CASE("with retention a capture whose only drive is full waits for room, and goes on when there is some") {
  if (skip_without_loop()) return;
  const Bench bench;
  LoopDrive small({.file_system = "ext4", .bytes = 200 * mib});
  small.leave_free(16 * mib);
  const fs::path drive = small.path();
  write_trace({.kind = "mixed", .packets = 1'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = {drive},
                       .options = {"--rotate-size", "4MiB", "--retain-size", "64MiB", "--when-full", "wait",
                                   "--block-size", "256KiB", "--stats-interval", "20ms"}});
  REQUIRE(capture.process().wait_for_output("\"state\":\"full\"", Seconds(60)));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  REQUIRE(capture.process().running());
  fs::remove(drive / "filler");
  REQUIRE(capture.process().wait_for_output("takes Blocks again", Seconds(30)));
  CHECK(capture.wait_for_total("stored_bytes", capture.total("stored_bytes") + 32 * mib));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(drive_of(result.last(), drive).at("state") == "ok");
}
