// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <vector>

#include "storage/direct_file.hpp"
#include "storage/drive.hpp"
#include "storage/io_queue.hpp"
#include "support/aligned_buffer.hpp"
#include "support/catch.hpp"
#include "support/file_content.hpp"
#include "support/loop_drive.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"

using namespace wirespool::storage;
using wirespool::test::AlignedBuffer;
using wirespool::test::LoopDrive;
using wirespool::test::run_process;
using wirespool::test::skip;

namespace {

constexpr std::uint32_t block = 1 << 20;

std::unique_ptr<IoQueue> make_queue(const std::string& kind) {
  return kind == "uring" ? std::move(*make_uring_queue({.entries = 8})) : make_pwrite_queue({.entries = 8});
}

WriteResult wait_for_one(IoQueue& queue) {
  WriteResult result{.tag = 0, .result = -ETIME};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (queue.reap({&result, 1}) == 0 && std::chrono::steady_clock::now() < end) {
  }
  return result;
}

}  // namespace

TEST_CASE("a drive with 4096-byte sectors is recognised and takes no less") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  const std::string file_system = GENERATE("ext4", "xfs");
  CAPTURE(file_system);
  const LoopDrive loop({.file_system = file_system, .sector_bytes = 4096});
  const auto drive = inspect_drive(loop.path());
  REQUIRE(drive);
  CHECK(drive->block_bytes == 4096);
  CHECK(drive->direct_io);
  CHECK(drive->file_system == file_system);
  CHECK("/dev/" + drive->device_name == loop.device());

  const auto directory = Directory::open(loop.path());
  const auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  const AlignedBuffer buffer(4096);
  const std::string kind = GENERATE("uring", "pwrite");
  const auto queue = make_queue(kind);
  REQUIRE(queue->submit({file->fd(), buffer.data(), 512, 0, 1}));
  CHECK(wait_for_one(*queue).result == -EINVAL);
  REQUIRE(queue->submit({file->fd(), buffer.data(), 4096, 4096, 2}));
  CHECK(wait_for_one(*queue).result == 4096);
}

TEST_CASE("a drive with 512-byte sectors is recognised") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  const std::string file_system = GENERATE("ext4", "xfs");
  CAPTURE(file_system);
  const LoopDrive loop({.file_system = file_system});
  const auto drive = inspect_drive(loop.path());
  REQUIRE(drive);
  CHECK(drive->block_bytes == 512);
  CHECK(drive->direct_io);
}

TEST_CASE("a full drive gives ENOSPC or a short write, and a file on it can still be sealed") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  const std::string file_system = GENERATE("ext4", "xfs");
  const std::string kind = GENERATE("uring", "pwrite");
  CAPTURE(file_system, kind);
  const LoopDrive loop({.file_system = file_system});
  const auto directory = Directory::open(loop.path());
  auto filler = DirectFile::create(*directory, ".filler", DirectFile::Mode::direct);
  REQUIRE(filler->preallocate(0, free_bytes(*Directory::open(loop.path())) - 9 * block - 4096 * 5));
  auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  const AlignedBuffer buffer(block, 5);
  const auto queue = make_queue(kind);
  std::uint64_t written = 0;
  std::int32_t last = 0;
  do {
    REQUIRE(queue->submit({file->fd(), buffer.data(), block, written, 1}));
    last = wait_for_one(*queue).result;
    written += static_cast<std::uint64_t>(std::max(last, 0));
  } while (last == static_cast<std::int32_t>(block) && written < (1U << 30));
  CHECK((last == -ENOSPC || (last > 0 && last < static_cast<std::int32_t>(block))));
  CHECK(written > 4 * block);
  CHECK(written < 64 * block);
  CHECK(file->preallocate(0, 1U << 30).error().code == ENOSPC);
  REQUIRE(file->seal(written, "x.pcap"));
  CHECK(std::filesystem::file_size(loop.path() + "/x.pcap") == written);
}

TEST_CASE("a line that does not fit on a full drive is taken back") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  const LoopDrive loop({.bytes = 8U << 20});
  const auto directory = Directory::open(loop.path());
  auto log = LineLog::create(*directory, "log");
  REQUIRE(log);
  REQUIRE(log->append("first"));
  const auto too_long = log->append(std::string(16U << 20, 'x'));
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().code == ENOSPC);
  REQUIRE(log->append("second"));
  CHECK(wirespool::test::file_content(loop.path() + "/log") == "first\nsecond\n");
}

TEST_CASE("a drive on another device is the same place if the witness is there, and an empty mount point is not") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  LoopDrive loop({.file_system = "xfs"});  // its identity is the number of its device
  const auto directory = Directory::open(loop.path());
  REQUIRE(directory);
  std::ofstream(loop.path() + "/witness");
  REQUIRE(directory->let_go());
  REQUIRE(run_process({"umount", loop.path()}).ok());
  CHECK(directory->open_again("witness").error().code == ESTALE);
  loop.replug();
  REQUIRE(run_process({"mount", loop.device(), loop.path()}).ok());
  CHECK(directory->open_again("another").error().code == ESTALE);
  CHECK(directory->open_again("witness"));
  CHECK(prove_writing(*directory, 4096, true));
}

TEST_CASE("a read-only drive is EROFS") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  const LoopDrive loop({.bytes = 8U << 20});
  loop.make_read_only();
  const auto drive = inspect_drive(loop.path());
  REQUIRE_FALSE(drive);
  CHECK(drive.error().code == EROFS);
  CHECK(drive.error().what == "writing into " + loop.path() + ": open");
}

TEST_CASE("a loop drive leaves no mount and no device") {
  if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
  std::string device;
  std::string path;
  {
    const LoopDrive loop({.bytes = 8U << 20});
    device = loop.device();
    path = loop.path();
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(wirespool::test::run_process({"losetup", device}).ok());
}
