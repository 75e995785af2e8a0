// SPDX-License-Identifier: BSD-3-Clause
// Drives that fill up, fail and hang under a running capture.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/outside_tools.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;

namespace {

constexpr std::uint64_t mib = 1 << 20;

bool skip_without_loop() {
  const auto missing = LoopDrive::missing();
  if (missing) skip("loop drives", *missing);
  return missing.has_value();
}

// The packets of hidden files too; preallocated zeros end them.
std::uint64_t packets_in(const std::filesystem::path& file, std::set<std::string>& distinct) {
  std::uint64_t packets = 0;
  try {
    for (PcapStream stream(file); const auto packet = stream.next(); ++packets) {
      if (packet->time.ns == 0) break;
      distinct.emplace(reinterpret_cast<const char*>(packet->bytes.data()), packet->bytes.size());
    }
  } catch (const std::runtime_error&) {
    // Empty, or cut within a record: what is in front of the cut counts.
  }
  return packets;
}

// How many packets of the trace no file of these directories holds, hidden ones included. The hidden file of a drive
// that failed may end in a part of a packet.
std::size_t missing_packets(const std::filesystem::path& trace, const Paths& directories) {
  std::set<std::string> wanted;
  std::set<std::string> found;
  REQUIRE(packets_in(trace, wanted) > 0);
  for (const auto& file : sealed_files(directories)) packets_in(file, found);
  for (const auto& file : hidden_files(directories))
    if (file.extension() == ".open") packets_in(file, found);
  return static_cast<std::size_t>(
      std::ranges::count_if(wanted, [&found](const auto& packet) { return !found.contains(packet); }));
}

Json drive_line(const CaptureResult& result, const std::filesystem::path& drive) {
  return drive_of(result.last(), drive);
}

CaptureCommand replay(const Bench& bench, const Paths& outputs, std::uint64_t packets, Command options = {}) {
  options.insert(options.end(), {"--block-size", "256KiB", "--when-full", "wait"});
  return {
      .vdevs = {replay_of({bench.trace()})}, .outputs = outputs, .options = until_packets(packets, std::move(options))};
}

CaptureCommand with_faults(CaptureCommand capture, const std::string& faults) {
  capture.under = with_faulty_calls(faults);
  return capture;
}

// Whatever its capture makes there meanwhile.
void remove_directory(const std::filesystem::path& directory) {
  std::error_code error;
  for (int i = 0; i < 1'000 && std::filesystem::exists(directory); ++i) std::filesystem::remove_all(directory, error);
}

}  // namespace

TEST_CASE("when a drive is full the capture goes on with the others and loses nothing") {
  if (skip_without_loop()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  const auto io = GENERATE(values({"uring", "pwrite"}));
  CAPTURE(handoff, io);
  const Bench bench;
  LoopDrive small({.file_system = "ext4", .bytes = 16 * mib});
  small.leave_free(1 * mib);  // less than the writes in flight that it gets however slow it is
  const Paths outputs{small.path(), bench.outputs[0]};
  write_trace({.kind = "mixed", .packets = 150'000}, bench.trace());
  const auto result = run_capture(replay(bench, outputs, 150'000, {"--handoff", handoff, "--io", io}));
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(check_stored(outputs, result) == "");
  CHECK(check_indexes(outputs) == "");
  CHECK(result.total("stored") == 150'000);
  CHECK(drive_line(result, small.path()).at("state") == "full");
  CHECK(compare_each_file(bench.trace(), outputs) == "");
}

TEST_CASE("when a drive fails the capture goes on, and what is called stored is on disk") {
  if (skip_without_loop()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const LoopDrive failing({.file_system = "xfs", .bytes = 640 * mib});
  const Paths outputs{failing.path(), bench.outputs[0]};
  write_trace({.kind = "1514", .packets = 200'000}, bench.trace());
  LiveCapture capture(replay(bench, outputs, 200'000, {"--handoff", handoff, "--stats-interval", "10ms"}));
  CHECK(capture.wait_for_total("stored", 5'000));
  failing.go_down(LoopDrive::Journal::written);
  const auto result = capture.wait();
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(result.total("stored") == 200'000);
  CHECK(drive_line(result, failing.path()).at("state") == "failed");
  CHECK(drive_line(result, failing.path()).at("unsynced") > 0);
  CHECK_THAT(result.process.err, Catch::Contains("not synced and may be lost: wirespool repair " + failing.path()));
  failing.mount_again();
  CHECK(missing_packets(bench.trace(), outputs) == 0);
  CHECK(check_indexes({bench.outputs[0]}) == "");
  CHECK(ask_outside({bench.outputs[0]}) == "");
}

TEST_CASE("what a drive takes along that goes without its journal is what the ledger calls unsynced, and no more") {
  if (skip_without_loop()) return;
  const Bench bench;
  const LoopDrive failing({.file_system = "xfs", .bytes = 640 * mib});
  const Paths outputs{failing.path(), bench.outputs[0]};
  write_trace({.kind = "1514", .packets = 200'000}, bench.trace());
  LiveCapture capture(replay(bench, outputs, 200'000, {"--sync-age", "10ms", "--stats-interval", "10ms"}));
  CHECK(capture.wait_for_total("stored", 50'000));
  failing.go_down(LoopDrive::Journal::lost);
  const auto result = capture.wait();
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  REQUIRE(drive_line(result, failing.path()).at("state") == "failed");
  const std::uint64_t unsynced = drive_line(result, failing.path()).at("unsynced");
  failing.mount_again();
  CHECK(missing_packets(bench.trace(), outputs) <= unsynced);
  CHECK(unsynced < result.total("stored") / 2);
}

TEST_CASE("with no drive left the capture ends with exit code 3 and its books balance") {
  if (skip_without_loop()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const LoopDrive small({.file_system = "ext4", .bytes = 16 * mib});
  const LoopDrive other({.file_system = "ext4", .bytes = 16 * mib});
  const Paths outputs{small.path(), other.path()};
  write_trace({.kind = "1514", .packets = 1'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()}, true)},
                                   .outputs = outputs,
                                   .options = {"--block-size", "256KiB", "--handoff", handoff, "--duration", "60s"}});
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  CHECK(check_ledger(result) == "");
  CHECK(check_stored(outputs, result) == "");
  CHECK(result.total("drop_drive") > 0);
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: capture: no drive is left"));
}

TEST_CASE("the last drive fills up while the capture drains: exit code 3") {
  if (skip_without_loop()) return;
  const Bench bench;
  const LoopDrive small({.file_system = "ext4", .bytes = 16 * mib});
  const Paths outputs{small.path()};
  write_trace({.kind = "1514", .packets = 1'000}, bench.trace());
  // All of it fits into Blocks in memory, not onto the drive.
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()}, true)},
                                   .outputs = outputs,
                                   .options = {"--block-size", "256KiB", "--packets", "14000"}});
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  CHECK(check_ledger(result) == "");
  CHECK(check_stored(outputs, result) == "");
  CHECK(result.total("drop_drive") > 0);
}

TEST_CASE("a drive that hangs holds up nobody else") {
  if (skip_without_loop()) return;
  const Bench bench;
  const LoopDrive hanging({.file_system = "ext4", .bytes = 128 * mib});
  const Paths outputs{hanging.path(), bench.outputs[0]};
  write_trace({.kind = "1514", .packets = 60'000}, bench.trace());
  LiveCapture capture(replay(bench, outputs, 60'000, {"--stats-interval", "10ms"}));
  CHECK(capture.wait_for_total("stored", 1'000));
  REQUIRE(run_process({"fsfreeze", "--freeze", hanging.path()}).ok());
  // Its own writes wait; everything behind them goes to the other drive.
  const bool received_all = capture.wait_for_total("received", 60'000, Seconds(30));
  REQUIRE(run_process({"fsfreeze", "--unfreeze", hanging.path()}).ok());
  CHECK(received_all);
  const auto result = capture.wait();
  CHECK(check_capture(result, outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), outputs) == "");
}

// Slow traffic, so that an open Block has a tail to send a hundred times a second while its writer lcore hangs in
// pwrite(2): more of them than the way to it has room for, then Blocks that become full.
TEST_CASE("a drive that hangs under RX lcores that build Blocks costs no Block, and the capture ends") {
  if (skip_without_loop()) return;
  if (const auto why = why_no_network(); !why.empty()) return skip("net_af_packet", why);
  const LoopDrive hanging({.file_system = "ext4", .bytes = 64 * mib});
  const VethPair veth;
  const auto trace = make_trace({.kind = "60", .packets = 2'000});
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right() + ",blocksz=65536,framesz=2048,framecnt=8192"},
                       .outputs = {hanging.path()},
                       .options = {"--handoff", "blocks", "--io", "pwrite", "--block-size", "16KiB", "--blocks", "24",
                                   "--flush-age", "1ms", "--stats-interval", "10ms"}});
  REQUIRE(capture.wait_until_running());
  const FrameSender sender(nullptr, veth.left());
  const auto send = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      sender.send(trace[i]);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  send(0, 100);
  CHECK(capture.wait_for_total("stored", 100));
  REQUIRE(run_process({"fsfreeze", "--freeze", hanging.path()}).ok());
  send(100, 2'000);
  const bool received = capture.wait_for_total("received", 2'000);
  REQUIRE(run_process({"fsfreeze", "--unfreeze", hanging.path()}).ok());
  CHECK(received);
  const auto result = capture.stop();
  CHECK(check_capture(result, {hanging.path()}) == "");
  CHECK(result.total("stored") == 2'000);
}

TEST_CASE("one frozen drive does not stop the other of the same writer lcore") {
  if (skip_without_loop()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const LoopDrive frozen({.file_system = "ext4", .bytes = 128 * mib});
  const LoopDrive other({.file_system = "ext4", .bytes = 256 * mib});
  const Paths outputs{frozen.path(), other.path()};
  write_trace({.kind = "1514", .packets = 100'000}, bench.trace());
  LiveCapture capture(replay(bench, outputs, 100'000, {"--handoff", handoff, "--stats-interval", "10ms"}));
  CHECK(capture.wait_for_total("stored", 1'000));
  REQUIRE(run_process({"fsfreeze", "--freeze", frozen.path()}).ok());
  // All but what is on its way to the frozen drive, 128 Blocks of 173 packets at most.
  const bool other_goes_on = capture.wait_for_total("stored", 75'000, Seconds(30));
  REQUIRE(run_process({"fsfreeze", "--unfreeze", frozen.path()}).ok());
  CHECK(other_goes_on);
  const auto result = capture.wait();
  CHECK(check_capture(result, outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), outputs) == "");
}

TEST_CASE("a source that waits for a hanging drive is not idle") {
  if (skip_without_loop()) return;
  const Bench bench;
  const LoopDrive hanging({.file_system = "ext4", .bytes = 128 * mib});
  write_trace({.kind = "1514", .packets = 60'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = {hanging.path()},
                       .options = {"--idle-exit", "300ms", "--block-size", "256KiB", "--stats-interval", "10ms"}});
  CHECK(capture.wait_for_total("stored", 1'000));
  REQUIRE(run_process({"fsfreeze", "--freeze", hanging.path()}).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
  REQUIRE(run_process({"fsfreeze", "--unfreeze", hanging.path()}).ok());
  const auto result = capture.wait();
  CHECK(check_capture(result, {hanging.path()}) == "");
  CHECK(result.total("stored") == 60'000);
}

TEST_CASE("a drive of 4096-byte sectors is written in those") {
  if (skip_without_loop()) return;
  const auto file_system = GENERATE(values({"ext4", "xfs"}));
  const auto io = GENERATE(values({"uring", "pwrite"}));
  CAPTURE(file_system, io);
  const Bench bench;
  const LoopDrive drive({.file_system = file_system, .bytes = 320 * mib, .sector_bytes = 4096});
  write_trace({.kind = "lengths", .packets = 20'000}, bench.trace());
  const auto result = run_capture(replay(bench, {drive.path()}, 20'000, {"--io", io, "--flush-age", "1ms"}));
  CHECK(check_capture(result, {drive.path()}) == "");
  CHECK(compare_spool_in_order(bench.trace(), {drive.path()}) == "");
}

TEST_CASE("a Block that is not a multiple of the drive's sectors is refused") {
  if (skip_without_loop()) return;
  const LoopDrive drive({.file_system = "ext4", .bytes = 16 * mib, .sector_bytes = 4096});
  const auto result =
      run_capture({.vdevs = {"net_null0"}, .outputs = {drive.path()}, .options = {"--block-size", "4608"}});
  INFO(result.describe());
  CHECK((result.process.exit_code == 1 || result.process.exit_code == 2));
  CHECK_THAT(result.process.err, Catch::StartsWith("wirespool: --block-size: ") && Catch::Contains("4096"));
  CHECK(sealed_files({drive.path()}).empty());
  CHECK(hidden_files({drive.path()}).empty());
}

TEST_CASE("packets called stored are there in the end when their open file was deleted") {
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  const bool directory_too = GENERATE(false, true);
  CAPTURE(handoff, directory_too);
  const Bench bench;
  write_trace({.kind = "1514", .packets = 100'000}, bench.trace());
  LiveCapture capture(
      replay(bench, bench.outputs, 100'000, {"--handoff", handoff, "--sync-age", "10ms", "--stats-interval", "10ms"}));
  CHECK(capture.wait_for_total("stored", 5'000));
  if (directory_too)
    remove_directory(bench.outputs[0]);
  else
    for (const auto& file : hidden_files(bench.outputs))
      if (file.extension() == ".open") std::filesystem::remove(file);
  const auto result = capture.wait();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(check_stored(bench.outputs, result) == "");
  CHECK(result.total("stored") == 100'000);
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains("removed") && Catch::Contains("saved"));
}

TEST_CASE("packets called stored that were deleted and cannot be saved are taken back, and the exit code is 3") {
  const Bench bench(2);
  write_trace({.kind = "1514", .packets = 100'000}, bench.trace());
  LiveCapture capture(replay(bench, bench.outputs, 100'000, {"--stats-interval", "10ms"}));
  CHECK(capture.wait_for_total("stored", 5'000));
  remove_directory(bench.outputs[0]);
  std::ofstream(bench.outputs[0]) << "in the way";
  const auto result = capture.wait();
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  // check_ledger() forbids that `stored` goes back; all else must add up in every line.
  for (const auto& line : result.ledger) CHECK_FALSE(line.contains("imbalance"));
  CHECK(result.total("in_flight") == 0);
  CHECK(result.total("drop_drive") > 0);
  CHECK(result.total("stored") + result.total("drop_drive") == result.total("received"));
  CHECK(result.total("stored") == read_spool({bench.outputs[1]}).size());
  CHECK_THAT(result.process.err, Catch::Contains("packets that were stored are gone"));
}

TEST_CASE("after one failed sync nothing since the last good one is called safe") {
  const Bench bench(2);
  write_trace({.kind = "1514", .packets = 100'000}, bench.trace());
  const auto result = run_capture(
      with_faults(replay(bench, bench.outputs, 100'000, {"--sync-age", "10ms"}), "fdatasync:0:1:5:000000.pcap.open"));
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  // It may be back by now, and have more files.
  CHECK_FALSE(drive_line(result, bench.outputs[0]).at("away").empty());
  CHECK(drive_line(result, bench.outputs[0]).at("unsynced") > 0);
  CHECK_THAT(result.process.err, Catch::Contains("not synced and may be lost: wirespool repair"));
  // Not sealed as if it were whole: what was stored there until then is in a hidden file.
  CHECK_FALSE(hidden_files({bench.outputs[0]}).empty());
  CHECK(missing_packets(bench.trace(), bench.outputs) == 0);
}

TEST_CASE("too many open files for a moment do not cost a drive") {
  const Bench bench;
  write_trace({.kind = "1514", .packets = 40'000}, bench.trace());
  const auto result = run_capture(with_faults(replay(bench, bench.outputs, 40'000, {"--rotate-size", "4MiB"}),
                                              "openat:3:5:24:.open,renameat2:1:1:5:.open"));
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 40'000);
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains("it is tried again"));
}

TEST_CASE("an index that cannot be written is told, and costs nothing else") {
  const Bench bench;
  write_trace({.kind = "1514", .packets = 5'000}, bench.trace());
  const auto result = run_capture(with_faults(replay(bench, bench.outputs, 5'000), "openat:0:1000:28:.idx"));
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_stored(bench.outputs, result) == "");
  CHECK(drive_line(result, bench.outputs[0]).at("state") == "ok");
  CHECK_THAT(result.process.err, Catch::Contains(".idx") && Catch::Contains("make it with wirespool index"));
}

TEST_CASE("where files may not get as long as they are to, the capture does not begin, and says so") {
  const Bench bench;
  auto capture = CaptureCommand{.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--packets", "10"}};
  capture.under = {"prlimit", "--fsize=1073741824"};
  const auto refused = run_capture(capture);
  INFO(refused.describe());
  CHECK(refused.process.exit_code == 2);
  CHECK_THAT(refused.process.err, Catch::Contains("--rotate-size") && Catch::Contains("1GiB"));
  capture.options.insert(capture.options.end(), {"--rotate-size", "16MiB"});
  CHECK(check_capture(run_capture(capture), bench.outputs) == "");
  capture.under = {"prlimit", "--fsize=20971520"};  // too little for EAL's memory: no signal ends it
  CHECK(run_capture(capture).process.exit_code == 2);
}
