// SPDX-License-Identifier: BSD-3-Clause
// Checksums of Blocks and the clock's bound, as a capture writes them into the indices of its files.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "format/index_file.hpp"
#include "read/index_store.hpp"
#include "spool_rig.hpp"
#include "stats/clock_bounds.hpp"
#include "storage/file_descriptor.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"
#include "tools/ls.hpp"
#include "tools/make_index.hpp"
#include "tools/verify.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

// Files of several Blocks on two drives, some of their records in two Blocks.
struct Captured {
  std::unique_ptr<storage::IoQueue> queue = storage::make_pwrite_queue({});
  Trace trace = make_trace({.kind = "mixed", .packets = 5'000});
  SpoolRig rig;
  std::vector<std::string> places, files;

  explicit Captured(RigOptions options = {}) : rig(with_drives(options), *queue) {
    rig.feed(0, TraceRefs(trace).span());
    rig.finish();
    for (const auto& path : rig.directories()) places.push_back(path.string());
    for (const auto& path : sealed_files(rig.directories())) files.push_back(path.string());
  }

  static RigOptions with_drives(RigOptions options) {
    options.drives = 2;
    options.block_bytes = 16 << 10;
    options.rotate_size = 256 << 10;
    return options;
  }
};

format::Index index_of(const std::string& pcap) {
  auto index = format::decode_index(read_bytes(read::index_path(pcap)));
  REQUIRE(index);
  return std::move(*index);
}

bool any_contains(const std::vector<std::string>& lines, const std::string& words) {
  return std::ranges::any_of(lines, [&words](const auto& line) { return line.find(words) != std::string::npos; });
}

// How verify names the part of a file that a byte is in.
std::string name_of_part(const format::Index& index, std::uint64_t offset) {
  const auto behind = std::ranges::upper_bound(index.entries, offset, {}, &format::IndexEntry::first_record);
  if (behind == index.entries.begin()) return "its header does not have the checksum";
  const auto end = behind == index.entries.end() ? index.header.file_bytes : behind->first_record;
  return fmt::format("the Block of bytes {} to {} ", std::prev(behind)->first_record, end - 1);
}

}  // namespace

TEST_CASE("a byte changed anywhere in a file is found, and verify names the Block it is in", "[spool]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  const Captured captured;
  REQUIRE(captured.files.size() >= 4);
  REQUIRE(tools::verify(captured.places)->problem_count() == 0);
  for (int round = 0; round < 60; ++round) {
    const auto& path = captured.files[random.below(captured.files.size())];
    const auto good = read_bytes(path);
    // The first four bytes say that it is pcap: without them nothing is known of any Block.
    const auto offset = 4 + (round < 20 ? static_cast<std::uint64_t>(round) : random.below(good.size() - 4));
    auto changed = good;
    changed[offset] ^= static_cast<std::byte>(1u << random.below(8));
    write_bytes(path, changed);
    const auto report = tools::verify({path});
    write_bytes(path, good);
    const auto& problems = report->files.at(0).problems;
    INFO(path << ", byte " << offset << "\n" << tools::render_table(*report));
    REQUIRE_FALSE(problems.empty());
    const bool unreadable_header = offset < 24 && problems.size() == 1;  // a version or link type that there is not
    if (!unreadable_header) REQUIRE(any_contains(problems, name_of_part(index_of(path), offset)));
  }
}

namespace {

// Where in its drive a byte of a file is (FS_IOC_FIEMAP in the kernel's Documentation/filesystems/fiemap.rst).
std::uint64_t place_in_drive(const std::string& path, std::uint64_t offset) {
  const storage::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  alignas(fiemap) std::array<std::byte, sizeof(fiemap) + 16 * sizeof(fiemap_extent)> memory{};
  auto* map = reinterpret_cast<fiemap*>(memory.data());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_flags = FIEMAP_FLAG_SYNC;
  map->fm_extent_count = 16;
  REQUIRE(::ioctl(file.get(), FS_IOC_FIEMAP, map) == 0);
  for (const auto& extent : std::span(map->fm_extents, map->fm_mapped_extents))
    if (offset >= extent.fe_logical && offset - extent.fe_logical < extent.fe_length)
      return extent.fe_physical + offset - extent.fe_logical;
  FAIL(path << " has no byte " << offset << " on its drive");
  return 0;
}

// As a drive that changes it by itself: no file system knows.
void change_byte_of_drive(const LoopDrive& drive, std::uint64_t offset, std::byte to) {
  const storage::FileDescriptor image(::open(drive.image().c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::pwrite(image.get(), &to, 1, static_cast<off_t>(offset)) == 1);
  REQUIRE(::fsync(image.get()) == 0);
}

}  // namespace

TEST_CASE("verify finds a byte that changed on the drive while the page cache has what was written", "[spool]") {
  if (const auto why = LoopDrive::missing()) return skip("a drive that changes a byte", *why);
  const LoopDrive drive({.bytes = 16u << 20});
  const Captured captured;
  const auto path = drive.path() + "/" + std::filesystem::path(captured.files[0]).filename().string();
  std::filesystem::copy(captured.files[0], path);
  std::filesystem::copy(read::index_path(captured.files[0]), read::index_path(path));
  const auto written = read_bytes(path);
  const auto offset = written.size() / 2;
  const auto place = place_in_drive(path, offset);
  REQUIRE(read_bytes(path) == written);  // all of it is in the page cache
  REQUIRE(tools::verify({path})->problem_count() == 0);
  change_byte_of_drive(drive, place, ~written[offset]);
  REQUIRE(read_bytes(path) == written);  // and still is
  const auto report = tools::verify({path});
  REQUIRE(report);
  CHECK(report->problem_count() > 0);
  REQUIRE(report->files.size() == 1);
  CHECK(any_contains(report->files[0].problems, name_of_part(index_of(path), offset)));
}

TEST_CASE("wirespool index finds of a capture's files what the capture wrote", "[spool]") {
  const Captured captured;
  for (const auto& path : captured.files) {
    const auto before = index_of(path);
    REQUIRE(before.header.checksums);
    REQUIRE(tools::make_indices({{path}, format::IndexLevel::time, true})->complete());
    const auto after = index_of(path);
    CHECK(after.header.checksums);
    CHECK(after.header.head_checksum == before.header.head_checksum);
    CHECK(std::ranges::equal(after.entries, before.entries, {}, &format::IndexEntry::checksum,
                             &format::IndexEntry::checksum));
    CHECK(std::ranges::equal(after.entries, before.entries, {}, &format::IndexEntry::first_record,
                             &format::IndexEntry::first_record));
  }
}

TEST_CASE("without checksums verify says in one line how many Blocks have none, and that is no problem", "[spool]") {
  const Captured captured({.checksums = false});
  std::uint64_t blocks = 0;
  for (const auto& path : captured.files) {
    const auto index = index_of(path);
    CHECK_FALSE(index.header.checksums);
    blocks += index.entries.size();
  }
  const auto report = tools::verify(captured.places);
  CHECK(report->problem_count() == 0);
  const auto line = fmt::format("{} Blocks of {} files have no checksum", blocks, captured.files.size());
  CHECK(std::ranges::count_if(report->notices, [&line](const auto& notice) { return notice.starts_with(line); }) == 1);
  REQUIRE(tools::make_indices({captured.places, format::IndexLevel::time, true})->complete());
  CHECK_FALSE(any_contains(tools::verify(captured.places)->notices, "have no checksum"));
}

TEST_CASE("a file's index has the widest bound of its clock while it was written, and ls shows it", "[spool]") {
  const auto bound = [](std::uint64_t error_ns) {
    return format::ClockBound{.source = "tsc", .discipline = "kernel", .error_ns = error_ns};
  };
  stats::ClockBounds bounds;
  const auto begin = make_trace({.kind = "mixed", .packets = 1})[0].time;
  bounds.add(Timestamp{begin.ns - 1}, bound(9'000'000));  // before the first packet
  bounds.add(Timestamp{begin.ns + 1'000}, bound(2'000'000));
  bounds.add(Timestamp{begin.ns + 2'000}, bound(1'234'000));
  const Captured captured({.clock = &bounds});
  const auto first =
      *std::ranges::min_element(captured.files, {}, [](const auto& path) { return index_of(path).header.first; });
  CHECK(index_of(first).header.clock == format::FileClock{"tsc", "kernel", 2'000'000});
  const auto listed = tools::ls({captured.places});
  CHECK(tools::render_table(*listed).find("times +-2.000 ms") != std::string::npos);
  CHECK(tools::render_json(*listed).find(R"("clock":{"source":"tsc","discipline":"kernel","error_ns":2000000})") !=
        std::string::npos);
  REQUIRE(tools::make_indices({{first}, format::IndexLevel::flow, true})->complete());
  CHECK(index_of(first).header.clock == format::FileClock{"tsc", "kernel", 2'000'000});
}
