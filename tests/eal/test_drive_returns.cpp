// SPDX-License-Identifier: BSD-3-Clause
// Drives that something happens to under a running capture, most of which come back.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "reading.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/outside_tools.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "support/wait_until.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr int patience = 30;  // seconds

bool skip_without_drives_and_network() {
  const auto drives = LoopDrive::missing();
  const auto network = why_no_network();
  if (drives) skip("loop drives", *drives);
  if (!drives && !network.empty()) skip("net_af_packet", network);
  return drives || !network.empty();
}

struct TrickleOptions {
  std::string handoff = "packets", io = "uring", stats_interval = "10ms", rotate_size = "1MiB";
};

// A capture of 3000 frames that are sent one after the other, a few ahead of what is received. Something happens to the
// first of its drives meanwhile.
class Trickle {
 public:
  Trickle(const Paths& outputs, const TrickleOptions& options)
      : capture_({.vdevs = {"net_af_packet0,iface=" + veth_.right()}, .outputs = outputs, .options = all(options)}),
        sender_(veth_.left(), make_trace({.kind = "1514", .packets = 3'000}), capture_) {
    REQUIRE(capture_.wait_until_running());
  }

  void send_until(std::size_t end) { REQUIRE(sender_.send_until(end)); }
  void store_until(std::size_t end) {
    send_until(end);
    CHECK(capture_.wait_for_total("stored", end));
  }

  Json drive(std::size_t number, const char* field) const {
    const auto line = capture_.newest();
    return line.is_object() ? line.at("drives").at(number).value(field, Json()) : Json();
  }
  bool gets(const std::string& state) const {
    return wait_until([&] { return drive(0, "state") == state; }, patience);
  }
  std::uint64_t bytes(std::size_t number) const { return drive(number, "bytes").get<std::uint64_t>(); }

  // Stopped, with books that balance and all that was sent called stored.
  CaptureResult stop() {
    auto result = capture_.stop();
    CHECK(check_ledger(result) == "");
    CHECK(result.total("stored") == sender_.sent());
    CHECK(result.total("received") == sender_.sent());
    return result;
  }

  // How many of the frames no sealed file of these directories holds.
  std::size_t missing_from(const Paths& directories) const {
    return sender_.sent() - sender_.found_in(directories).frames;
  }

 private:
  static Command all(const TrickleOptions& options) {
    return {"--handoff",
            options.handoff,
            "--io",
            options.io,
            "--block-size",
            "64KiB",
            "--stats-interval",
            options.stats_interval,
            "--rotate-size",
            options.rotate_size,
            "--flush-age",
            "5ms",
            "--sync-age",
            "10ms"};
  }

  VethPair veth_;
  LiveCapture capture_;
  TraceSender sender_;
};

// Hidden files of the drive that failed become sealed ones, and then other programs find all that was sent, but for
// what was called unsynced.
void repair_and_check(const Trickle& capture, const Paths& outputs, std::uint64_t may_miss) {
  CHECK(run_tool("repair", outputs).ok());
  const auto unsealed = [](const auto& file) { return file.extension() == ".open"; };
  CHECK(std::ranges::none_of(hidden_files(outputs), unsealed));
  CHECK(capture.missing_from(outputs) <= may_miss);
  CHECK(ask_outside(outputs) == "");
}

// Its lines were not written there while it was away, but the last one is.
bool has_end_of_ledger(const fs::path& directory, const CaptureResult& result) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (!entry.path().string().ends_with(".ledger.jsonl")) continue;
    std::ifstream file(entry.path());
    Json last;
    for (std::string line; std::getline(file, line);) last = Json::parse(line, nullptr, false);
    return last == result.last();
  }
  return false;
}

enum class How { goes_down, finds_an_error };
enum class Meanwhile { nothing, replugged, directory_replaced };

// While it is unmounted.
void mend(LoopDrive& drive, const fs::path& directory, Meanwhile what) {
  if (what == Meanwhile::replugged) drive.replug();
  if (what == Meanwhile::directory_replaced) {
    const TempDir elsewhere;
    const auto inside = elsewhere.path() / directory.filename();
    REQUIRE(run_process({"mount", drive.device(), elsewhere.path().string()}).ok());
    fs::rename(inside, elsewhere.path() / "old");
    fs::create_directory(inside);
    REQUIRE(run_process({"umount", elsewhere.path().string()}).ok());
  }
  REQUIRE(run_process({"mount", drive.device(), drive.path()}).ok());
}

}  // namespace

TEST_CASE("a drive that fails is let go of, can be unmounted and mended, and is taken back when it is mounted again") {
  if (skip_without_drives_and_network()) return;
  struct Row {
    std::string file_system, io, handoff;
    How how;
    Meanwhile meanwhile;
  };
  const auto [file_system, io, handoff, how, meanwhile] =
      GENERATE(values<Row>({{"xfs", "uring", "packets", How::goes_down, Meanwhile::nothing},
                            {"xfs", "pwrite", "blocks", How::goes_down, Meanwhile::replugged},
                            {"ext4", "uring", "blocks", How::goes_down, Meanwhile::directory_replaced},
                            {"ext4", "pwrite", "packets", How::finds_an_error, Meanwhile::replugged},
                            {"ext4", "uring", "packets", How::finds_an_error, Meanwhile::nothing}}));
  CAPTURE(file_system, io, handoff);
  const Bench bench;
  LoopDrive failing({.file_system = file_system, .bytes = 320 * mib});
  const auto directory = fs::path(failing.path()) / "spool";
  fs::create_directory(directory);
  const Paths outputs{directory, bench.outputs[0]};
  Trickle capture(outputs, {.handoff = handoff, .io = io});
  capture.store_until(1'000);
  if (how == How::goes_down)
    failing.go_down(LoopDrive::Journal::written);
  else
    failing.find_an_error();
  capture.store_until(2'000);
  CHECK(capture.gets("failed"));
  // Nothing of it is open any more. An empty mount point is not it.
  REQUIRE(wait_until([&] { return run_process({"umount", failing.path()}).ok(); }, patience));
  fs::create_directory(directory);
  std::this_thread::sleep_for(std::chrono::milliseconds(2'500));
  CHECK(capture.drive(0, "state") == "failed");
  CHECK(fs::is_empty(directory));
  fs::remove(directory);
  mend(failing, directory, meanwhile);
  CHECK(capture.gets("ok"));
  const auto bytes = capture.bytes(0);
  capture.store_until(3'000);
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  const auto drive = drive_of(result.last(), directory);
  CHECK(drive.at("bytes") > bytes);
  CHECK(drive.at("taken_back") == 1);
  REQUIRE(drive.at("away").size() == 1);
  CHECK(drive.at("away")[0].at("from") < drive.at("away")[0].at("to"));
  CHECK_THAT(result.process.err, Catch::Contains("drive " + directory.string() + ": failed: ") &&
                                     Catch::Contains("another file system is there") &&
                                     Catch::Contains("it takes Blocks again"));
  CHECK(has_end_of_ledger(directory, result));
  Paths all = outputs;
  if (meanwhile == Meanwhile::directory_replaced) all.push_back(fs::path(failing.path()) / "old");
  // What a drive that goes down has in its journal is written, synced or not.
  repair_and_check(capture, all, how == How::goes_down ? 0 : drive.at("unsynced").get<std::uint64_t>());
}

// What it had not read of that drive when it failed it may not get; it says so, and goes on with the other.
TEST_CASE("who follows a capture lets go of a drive that failed, and reads on there when it is back") {
  if (skip_without_drives_and_network()) return;
  struct Row {
    std::string file_system;
    How how;
    Meanwhile meanwhile;
  };
  const auto [file_system, how, meanwhile] = GENERATE(
      values<Row>({{"xfs", How::goes_down, Meanwhile::nothing}, {"ext4", How::finds_an_error, Meanwhile::replugged}}));
  CAPTURE(file_system);
  const Bench bench;
  LoopDrive failing({.file_system = file_system, .bytes = 320 * mib});
  const auto directory = fs::path(failing.path()) / "spool";
  fs::create_directory(directory);
  const Paths outputs{directory, bench.outputs[0]};
  Trickle capture(outputs, {});
  const auto out = bench.base / "out.pcap";
  Process reader(
      {wirespool_program(), "extract", "--follow", "-w", out.string(), outputs[0].string(), outputs[1].string()});
  const auto has = [&](std::size_t packets) {
    std::error_code error;
    return wait_until([&] { return fs::exists(out) && fs::file_size(out, error) >= 24 + packets * (16 + 1514); },
                      patience);
  };
  capture.store_until(1'000);
  CHECK(has(1'000));
  if (how == How::goes_down)
    failing.go_down(LoopDrive::Journal::written);
  else
    failing.find_an_error();
  capture.store_until(2'000);
  CHECK(capture.gets("failed"));
  REQUIRE(wait_until([&] { return run_process({"umount", failing.path()}).ok(); }, patience));
  CHECK(has(2'000));
  fs::create_directory(directory);  // an empty mount point is not it
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  fs::remove(directory);
  mend(failing, directory, meanwhile);
  CHECK(capture.gets("ok"));
  const auto bytes = capture.bytes(0);
  capture.store_until(3'000);
  CHECK(has(3'000));
  CHECK(capture.bytes(0) > bytes);
  (void)capture.stop();
  const auto ended = reader.wait(Seconds(60));
  INFO(ended.describe());
  CHECK(ended.exit_code == 0);
  if (how == How::goes_down) CHECK_THAT(ended.err, Catch::Contains("it was left, and looked at again from then on"));
  CHECK(ended.err.find("removed before") == std::string::npos);
  CHECK(ask_capinfos(out).packets == 3'000);
}

TEST_CASE("a drive is not taken back while somebody else has its lock, and then it is") {
  if (sanitized) return skip("faulty calls", "a sanitizer wants nothing preloaded before it");
  const Bench bench(2);
  const auto& failing = bench.outputs[0];
  write_pcap(make_trace({.kind = "1514"}), bench.trace());
  CaptureCommand command{.vdevs = {replay_of({bench.trace()}, true)},
                         .outputs = bench.outputs,
                         .options = {"--io", "pwrite", "--block-size", "64KiB", "--when-full", "wait",
                                     "--stats-interval", "10ms", "--retain-size", "64MiB", "--rotate-size", "4MiB"}};
  // A Block that is not written, and then two trials of a second each that end badly: time enough to take the lock.
  const auto name = failing.filename().string();
  command.under = with_faulty_calls("pwrite:20:1:5:" + name + "/.wirespool-,fdatasync:0:2:5:" + name + "/#");
  LiveCapture capture(command);
  REQUIRE(capture.wait_until_running());
  const auto state = [&] {
    const auto line = capture.newest();
    return line.is_object() ? drive_of(line, failing).value("state", "") : "";
  };
  REQUIRE(wait_until([&] { return state() == "failed"; }, patience));
  REQUIRE(capture.process().wait_for_output("not taken back yet", Seconds(patience)));
  const auto lock = failing / ".wirespool.lock";
  REQUIRE_FALSE(fs::exists(lock));
  Process somebody({"flock", "--no-fork", "--nonblock", lock.string(), "sleep", "1000"});
  CHECK(capture.process().wait_for_output("not taken back yet: locking " + failing.string() + " for 'wirespool': held",
                                          Seconds(patience)));
  CHECK(state() == "failed");
  somebody.stop(SIGKILL);
  CHECK(capture.process().wait_for_output("it takes Blocks again", Seconds(patience)));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(drive_of(result.last(), failing).at("taken_back") == 1);
}

TEST_CASE("--on-drive-failure stop ends the capture with the first drive that fails, and the other one has the rest") {
  if (skip_without_drives_and_network()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const LoopDrive failing({.file_system = "xfs", .bytes = 320 * mib});
  const Paths outputs{failing.path(), bench.outputs[0]};
  write_pcap(make_trace({.kind = "1514", .packets = 60'000}), bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = outputs,
                       .options = {"--handoff", handoff, "--block-size", "256KiB", "--when-full", "wait",
                                   "--on-drive-failure", "stop", "--stats-interval", "10ms"}});
  CHECK(capture.wait_for_total("stored", 5'000));
  failing.go_down(LoopDrive::Journal::written);
  const auto result = capture.wait();
  INFO(result.describe());
  CHECK(result.process.exit_code == 3);
  CHECK(check_ledger(result) == "");
  CHECK(result.total("drop_drive") == 0);
  CHECK(result.total("stored") + result.total("drop_handoff") == result.total("received"));
  CHECK_THAT(result.process.err, Catch::Contains("wirespool: capture: a drive failed: " + failing.path()));
  CHECK(ask_outside({bench.outputs[0]}) == "");
  CHECK(hidden_files({bench.outputs[0]}).empty());
}

TEST_CASE("a drive without an inode left is full, and takes Blocks again when there are some") {
  if (skip_without_drives_and_network()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench;
  const LoopDrive crowded({.file_system = "ext4", .bytes = 64 * mib});
  const Paths outputs{crowded.path(), bench.outputs[0]};
  Trickle capture(outputs, {.handoff = handoff, .rotate_size = "256KiB"});
  capture.store_until(500);
  const auto crowd = fs::path(crowded.path()) / "crowd";
  fs::create_directory(crowd);
  for (int i = 0; std::ofstream(crowd / std::to_string(i)); ++i) continue;
  capture.store_until(2'000);
  CHECK(capture.gets("full"));
  fs::remove_all(crowd);
  CHECK(capture.gets("ok"));
  capture.store_until(3'000);
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(drive_of(result.last(), crowded.path()).at("taken_back") >= 1);
  CHECK(check_stored(outputs, result) == "");
  CHECK(capture.missing_from(outputs) == 0);
}

TEST_CASE("a drive that stands still for ten seconds costs no packet, and the other one goes on") {
  if (skip_without_drives_and_network()) return;
  const Bench bench;
  const LoopDrive still({.file_system = "ext4", .bytes = 64 * mib});
  const Paths outputs{still.path(), bench.outputs[0]};
  Trickle capture(outputs, {.stats_interval = "20ms"});
  capture.store_until(500);
  REQUIRE(run_process({"fsfreeze", "--freeze", still.path()}).ok());
  const auto other = capture.bytes(1);
  const auto since = std::chrono::steady_clock::now();
  capture.send_until(2'000);
  CHECK(wait_until([&] { return capture.bytes(1) > other + mib / 2; }, patience));
  std::this_thread::sleep_until(since + std::chrono::seconds(10));
  CHECK(capture.drive(0, "state") == "ok");
  REQUIRE(run_process({"fsfreeze", "--unfreeze", still.path()}).ok());
  capture.store_until(3'000);
  const auto result = capture.stop();
  CHECK(check_capture(result, outputs) == "");
  CHECK(capture.missing_from(outputs) == 0);
}

TEST_CASE("a drive that is unmounted lazily, or whose directory is renamed, is written as before") {
  if (skip_without_drives_and_network()) return;
  const bool renamed = GENERATE(false, true);
  const auto io = GENERATE(values({"uring", "pwrite"}));
  CAPTURE(renamed, io);
  const Bench bench;
  const LoopDrive drive({.file_system = "ext4", .bytes = 64 * mib});
  const auto directory = fs::path(drive.path()) / "spool";
  fs::create_directory(directory);
  Paths outputs{directory, bench.outputs[0]};
  Trickle capture(outputs, {.io = io});
  capture.store_until(1'000);
  const auto moved = fs::path(drive.path()) / "moved";
  if (renamed)
    fs::rename(directory, moved);
  else
    REQUIRE(run_process({"umount", "--lazy", drive.path()}).ok());
  const auto bytes = capture.bytes(0);
  capture.store_until(3'000);
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(drive_of(result.last(), directory).at("state") == "ok");
  CHECK(drive_of(result.last(), directory).at("bytes") > bytes);
  if (renamed)
    outputs[0] = moved;
  else
    REQUIRE(run_process({"mount", drive.device(), drive.path()}).ok());
  CHECK(check_stored(outputs, result) == "");
  CHECK(capture.missing_from(outputs) == 0);
  CHECK(ask_outside(outputs) == "");
}
