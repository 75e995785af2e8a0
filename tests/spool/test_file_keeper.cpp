// SPDX-License-Identifier: BSD-3-Clause
// What file systems and other people do to the files of a running capture.
#include "record/file_keeper.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "spool_rig.hpp"
#include "support/catch.hpp"
#include "support/faulty_calls.hpp"
#include "support/file_content.hpp"
#include "support/spool_files.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Catch::Contains;
using record::DriveState;
using record::FileSlot;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = 4096;

// One keeper, worked by hand, one slot, and what a writer would do to it.
struct Kept {
  TempDir temp;
  fs::path path = temp / "drive";
  storage::Directory directory;
  record::Drive drive{path.string(), block};
  FileSlot slot;
  record::FileKeeper keeper;
  AlignedBuffer data{8 * block, 7};

  explicit Kept(record::FileKeeperOptions options = {})
      : directory(make(path)), keeper(complete(options), drive, directory, {&slot}) {}

  static storage::Directory make(const fs::path& path) {
    fs::create_directory(path);
    return std::move(*storage::Directory::open(path.string()));
  }
  static record::FileKeeperOptions complete(record::FileKeeperOptions options) {
    options.stem = "t";
    options.capture_start = {1'700'000'000'000'000'000};
    options.direct_io = false;
    options.block_bytes = block;
    static const format::FileLayout layout;
    options.layout = &layout;
    return options;
  }

  FileSlot::State state() const { return slot.state.load(); }
  void work_while(FileSlot::State state) {
    for (int i = 0; i < 2'000 && slot.state.load() == state; ++i)
      if (keeper.work() == 0) ::usleep(1'000);
  }
  void open() {
    slot.state = FileSlot::State::wanted;
    work_while(FileSlot::State::wanted);
  }
  // One Block more, with this many packets in it.
  void store(std::uint64_t packets) {
    REQUIRE(::pwrite(slot.file->fd(), data.data() + slot.length, block, static_cast<off_t>(slot.length)) == block);
    if (slot.first.ns == 0) slot.first = {1'700'000'001'000'000'000};
    slot.length += block;
    slot.tally.packets += packets;
    slot.tally.bytes += 100 * packets;
    slot.stored = slot.tally.packets;
  }
  void seal() {
    slot.state = FileSlot::State::sealing;
    work_while(FileSlot::State::sealing);
  }

  fs::path hidden() const { return hidden_files({path}).at(0); }
  // One sealed file, with all that was stored and nothing else.
  bool all_sealed() const {
    const auto files = sealed_files({path});
    return files.size() == 1 && file_content(files[0]) == written();
  }
  std::string written() const { return {reinterpret_cast<const char*>(data.data()), slot.length}; }
  std::string complaints() {
    std::string all;
    for (const auto& line : drive.take_complaints()) all += line + "\n";
    return all;
  }
};

record::FileKeeperOptions syncing() {
  record::FileKeeperOptions options;
  options.sync_age = std::chrono::nanoseconds(1);
  return options;
}

record::FileKeeperOptions allocating_ahead() {
  record::FileKeeperOptions options;
  options.preallocate_bytes = 8 * block;
  return options;
}

std::string faults(const std::string& text, int code, const std::string& part) {
  return text + ":" + std::to_string(code) + ":" + part;
}

}  // namespace

TEST_CASE("a file that cannot be opened for a moment is opened then, and the drive goes on") {
  const int code = GENERATE(EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, EIO);
  CAPTURE(code);
  Kept kept;
  const FailingCalls failing(faults("openat:0:2", code, ".open"));
  kept.open();
  CHECK(failed_calls() == 2);
  CHECK(kept.state() == FileSlot::State::open);
  CHECK(kept.drive.ok());
  CHECK_THAT(kept.complaints(), Contains("it is tried again"));
}

TEST_CASE("what does not pass is told at once, and what does not pass in time is told then") {
  const int code = GENERATE(EACCES, EIO);
  Kept kept;
  const FailingCalls failing(faults("openat:0:1000", code, ".open"));
  kept.open();
  CHECK(kept.state() == FileSlot::State::refused);
  CHECK(kept.slot.error.code == code);
  CHECK(failed_calls() == (code == EACCES ? 1 : 3));
}

TEST_CASE("a file that was refused long before it is needed is asked for once more") {
  auto queue = storage::make_pwrite_queue({});
  const Trace trace = make_trace({.kind = "1514", .packets = 2'000});
  fail_calls(faults("openat:1:3", EIO, ".open"));  // of the second file, opened ahead, all tries
  SpoolRig rig({.rotate_size = 512 << 10}, *queue);
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  fail_calls("");
  CHECK(rig.drive(0).ok());
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(compare_in_order(trace, read_spool(rig.directories())) == "");
}

TEST_CASE("a file that cannot be allocated ahead is written all the same") {
  Kept kept(allocating_ahead());
  const FailingCalls failing(faults("fallocate:0:1", EIO, ".open"));
  kept.open();
  CHECK(failed_calls() == 1);
  CHECK(kept.state() == FileSlot::State::open);
  CHECK(kept.drive.ok());
}

TEST_CASE("after one failed sync all since the last good one is unsynced, and the file is not sealed as whole") {
  Kept kept(syncing());
  kept.open();
  kept.store(10);
  kept.keeper.work();
  kept.store(20);
  fail_calls(faults("fdatasync:0:1", EIO, ".open"));
  kept.keeper.work();
  CHECK(failed_calls() == 1);
  fail_calls("");
  CHECK(kept.drive.state() == DriveState::failed);
  CHECK_THAT(kept.drive.why(), Contains("fdatasync"));
  kept.store(5);
  kept.seal();  // the kernel tells an error once: now it says that all is well
  CHECK(kept.drive.unsynced() == 25);
  CHECK(sealed_files({kept.path}).empty());
  CHECK((file_content(kept.hidden()) == kept.written()));
}

TEST_CASE("a file whose last sync fails stays hidden, and what it had since the one before is unsynced") {
  Kept kept(syncing());
  kept.open();
  kept.store(10);
  kept.keeper.work();
  kept.store(20);
  const FailingCalls failing(faults("fdatasync:0:1", EIO, ".open"));
  kept.seal();
  CHECK(kept.drive.state() == DriveState::failed);
  CHECK(kept.drive.unsynced() == 20);
  CHECK(sealed_files({kept.path}).empty());
}

TEST_CASE("a drive that is full when a file is synced is full, not failed") {
  Kept kept;
  kept.open();
  kept.store(10);
  const FailingCalls failing(faults("fdatasync:0:1", ENOSPC, ".open"));
  kept.seal();
  CHECK(kept.drive.state() == DriveState::full);
  CHECK(kept.drive.unsynced() == 10);
}

TEST_CASE("a rename or a cut that fails once is done again, and the drive goes on") {
  const std::string call = GENERATE("renameat2", "ftruncate");
  CAPTURE(call);
  Kept kept;
  kept.open();
  kept.store(10);
  const FailingCalls failing(faults(call + ":0:1", EIO, ".open"));
  kept.seal();
  CHECK(failed_calls() == 1);
  CHECK(kept.drive.ok());
  CHECK(kept.all_sealed());
  CHECK_THAT(kept.complaints(), Contains("it is tried again"));
}

TEST_CASE("a file that cannot be renamed at all stays hidden, and its drive has failed") {
  Kept kept;
  kept.open();
  kept.store(10);
  const FailingCalls failing(faults("renameat2:0:1000", EIO, ".open"));
  kept.seal();
  CHECK(kept.drive.state() == DriveState::failed);
  CHECK(kept.drive.unsynced() == 10);
  CHECK(hidden_files({kept.path}).size() == 1);
}

TEST_CASE("a directory that cannot be synced has failed, and the file in it may be lost") {
  Kept kept;
  kept.open();
  kept.store(10);
  const FailingCalls failing(faults("fsync:0:1", EIO, "drive"));
  kept.seal();
  CHECK(kept.drive.state() == DriveState::failed);
  CHECK(kept.drive.unsynced() == 10);
  CHECK(kept.all_sealed());
}

TEST_CASE("the content of a file that was deleted while it was written is saved") {
  Kept kept;
  kept.open();
  kept.store(10);
  kept.store(10);
  fs::remove(kept.hidden());
  kept.seal();
  CHECK(kept.drive.ok());
  CHECK(kept.drive.lost() == 0);
  CHECK(kept.all_sealed());
  CHECK(hidden_files({kept.path}).empty());
  CHECK_THAT(kept.complaints(), Contains("saved"));
}

TEST_CASE("a file that was deleted together with its directory is saved in a new one") {
  Kept kept;
  kept.open();
  kept.store(10);
  fs::remove_all(kept.path);
  kept.seal();
  CHECK(kept.drive.ok());
  CHECK(kept.drive.lost() == 0);
  CHECK(kept.all_sealed());
  kept.open();  // the next one too
  CHECK(kept.state() == FileSlot::State::open);
}

TEST_CASE("a file that was moved away gets its name all the same") {
  Kept kept;
  kept.open();
  kept.store(10);
  fs::rename(kept.hidden(), kept.temp / "elsewhere");
  kept.seal();
  CHECK(kept.drive.ok());
  CHECK(kept.all_sealed());
}

TEST_CASE("another's file under the hidden name is not sealed in the place of ours") {
  Kept kept;
  kept.open();
  kept.store(10);
  const auto hidden = kept.hidden();
  fs::rename(hidden, kept.temp / "elsewhere");
  std::ofstream(hidden) << "not a packet";
  kept.seal();
  CHECK(kept.all_sealed());
  CHECK(file_content(hidden) == "not a packet");
}

TEST_CASE("packets whose file was deleted and cannot be saved are not called stored any more") {
  Kept kept;
  kept.open();
  kept.store(10);
  fs::remove_all(kept.path);
  std::ofstream(kept.path) << "in the way";
  kept.seal();
  CHECK(kept.drive.lost() == 10);
  CHECK(kept.drive.lost_bytes() == 1'000);
  CHECK_THAT(kept.complaints(), Contains("10 packets that were called stored are lost"));
}

TEST_CASE("a file that was deleted and not synced either is saved for repair, under its hidden name") {
  Kept kept;
  kept.open();
  kept.store(10);
  const auto hidden = kept.hidden();
  fs::remove(hidden);
  const FailingCalls failing(faults("fdatasync:0:1", EIO, ".open"));
  kept.seal();
  CHECK(kept.drive.state() == DriveState::failed);
  CHECK(kept.drive.unsynced() == 10);
  CHECK(kept.drive.lost() == 0);
  CHECK((file_content(hidden) == kept.written()));
}

TEST_CASE("a rename refused for a reason of the drive's own makes no packet lost, only unsynced") {
  Kept kept;
  kept.open();
  kept.store(10);
  const FailingCalls failing(faults("renameat2:0:1", ENOTCONN, ".open"));
  kept.seal();
  CHECK(kept.drive.state() == DriveState::failed);
  CHECK(kept.drive.lost() == 0);
  CHECK(kept.drive.unsynced() == 10);
}

TEST_CASE("a file that is deleted while it is written is noticed at its next sync, once") {
  Kept kept(syncing());
  kept.open();
  kept.store(10);
  kept.keeper.work();
  CHECK(kept.drive.renewals() == 0);
  fs::remove(kept.hidden());
  for (int i = 0; i < 3; ++i) {
    kept.store(1);
    kept.keeper.work();
  }
  CHECK(kept.drive.renewals() == 1);
  CHECK_THAT(kept.complaints(), Contains("removed while it is written"));
}

TEST_CASE("a drive that renews its files has the open one ended at the next tick, and loses nothing") {
  auto queue = storage::make_pwrite_queue({});
  const Trace trace = make_trace({.kind = "mixed", .packets = 1'000});
  const TraceRefs refs(trace);
  SpoolRig rig({.rotate_size = 1u << 30}, *queue);
  rig.feed(0, refs.span().first(500));
  rig.drive(0).renew();
  rig.turn();
  rig.feed(0, refs.span().subspan(500));
  rig.finish();
  CHECK(sealed_files(rig.directories()).size() == 2);
  CHECK(compare_in_order(trace, read_spool(rig.directories())) == "");
}

TEST_CASE("an index that cannot be written is told, and its file is whole all the same") {
  Kept kept;
  kept.open();
  kept.store(10);
  const FailingCalls failing(faults("openat:0:1", ENOSPC, ".idx"));
  kept.seal();
  CHECK(kept.drive.ok());
  CHECK(kept.all_sealed());
  CHECK_THAT(kept.complaints(), Contains(".idx") && Contains("wirespool index"));
}

TEST_CASE("complaints that nobody takes are counted, not kept") {
  record::Drive drive("x", block);
  for (int i = 0; i < 100; ++i) drive.complain("once more");
  const auto lines = drive.take_complaints();
  CHECK(lines.size() == 17);
  CHECK_THAT(lines.back(), Contains("84 more"));
  CHECK(drive.take_complaints().empty());
}

TEST_CASE("a tail's file is cut by the keeper, and one failed cut is done again") {
  Kept kept(allocating_ahead());
  const bool fails = GENERATE(false, true);
  kept.open();
  kept.store(10);
  if (fails) fail_calls(faults("ftruncate:0:1", EIO, ".open"));
  kept.slot.trim_to = 1'000;
  kept.keeper.work();
  fail_calls("");
  CHECK(kept.slot.trim_to == FileSlot::nothing);
  CHECK(kept.slot.wanted_bytes == kept.slot.allocated_bytes);
  CHECK(kept.drive.ok());
  CHECK(fs::file_size(kept.hidden()) == 1'000);
}
