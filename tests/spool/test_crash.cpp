// SPDX-License-Identifier: BSD-3-Clause
//
// A writer dies in the middle of its work: a child process runs the real SpoolWriter over a queue that stops the world
// at some write. What is left in the directories is repaired and compared with what was sent.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <new>
#include <random>
#include <unordered_map>

#include "spool/spool_rig.hpp"
#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"
#include "tools/repair.hpp"
#include "tools/verify.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

// What the child tells: writes whose success was reported to the writer. In memory that both share.
struct Reported {
  struct Write {
    std::uint64_t inode, offset, bytes;
  };
  static constexpr std::size_t most = 4096;
  std::size_t count = 0;
  Write writes[most];
};

struct CrashPlan {
  std::uint64_t seed = 1;
  std::uint64_t at_write = 10;  // which one does not come through any more
  bool power_cut = false;       // also what was reported, but never synced, may be gone
};

// Writes land when they are reaped, in any order. At the crash those in flight land whole, in pieces, or not at all.
class DyingQueue final : public storage::IoQueue {
 public:
  DyingQueue(CrashPlan plan, Reported& reported) : plan_(plan), reported_(reported), random_(plan.seed) {}

  bool submit(const storage::WriteRequest& request) noexcept override {
    if (flying_.size() == 8) return false;
    if (submitted_++ == plan_.at_write) die();
    flying_.push_back(request);
    return true;
  }

  std::size_t reap(std::span<storage::WriteResult> results) noexcept override {
    if (results.empty() || flying_.empty() || random_.below(3) == 0) return 0;
    const auto chosen = flying_.begin() + static_cast<std::ptrdiff_t>(random_.below(flying_.size()));
    const auto request = *chosen;
    flying_.erase(chosen);
    write(request, 0, request.bytes);
    report(request);
    results[0] = {request.tag, static_cast<std::int32_t>(request.bytes)};
    return 1;
  }

 private:
  static constexpr std::uint32_t page = 4096;

  static void write(const storage::WriteRequest& request, std::uint32_t from, std::uint32_t bytes) {
    if (::pwrite(request.fd, request.data + from, bytes, static_cast<off_t>(request.offset + from)) !=
        static_cast<ssize_t>(bytes))
      ::_exit(3);
  }

  void report(const storage::WriteRequest& request) {
    struct stat status {};
    ::fstat(request.fd, &status);
    if (reported_.count == Reported::most) ::_exit(4);
    reported_.writes[reported_.count++] = {static_cast<std::uint64_t>(status.st_ino), request.offset, request.bytes};
    done_.push_back(request);
  }

  [[noreturn]] void die() {
    for (const auto& request : flying_) {
      const auto fate = random_.below(3);
      if (fate == 0) write(request, 0, request.bytes);
      if (fate != 1) continue;
      for (std::uint32_t at = 0; at < request.bytes; at += page) {
        if (random_.below(2) == 0) write(request, at, std::min(page, request.bytes - at));
      }
    }
    if (plan_.power_cut) forget();
    ::_exit(0);
  }

  // Pages of writes that no fdatasync(2) followed read as holes again: their extents were never recorded as written.
  void forget() {
    for (const auto& request : done_) {
      for (std::uint32_t at = 0; at < request.bytes; at += page) {
        if (random_.below(6) != 0) continue;
        ::fallocate(request.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(request.offset + at),
                    page);
      }
    }
  }

  CrashPlan plan_;
  Reported& reported_;
  Random random_;
  std::vector<storage::WriteRequest> flying_, done_;
  std::uint64_t submitted_ = 0;
};

// Runs a writer until it dies in `directory`. false: it came to its end before.
bool run_until_crash(const std::string& directory, const Trace& trace, const RigOptions& options, CrashPlan plan,
                     Reported& reported) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("TMPDIR", directory.c_str(), 1);
    DyingQueue queue(plan, reported);
    SpoolRig rig(options, queue);
    const TraceRefs refs(trace);
    const auto packets = refs.span();
    Random random(plan.seed + 1);
    for (std::size_t at = 0; at < packets.size();) {
      const auto some = std::min<std::size_t>(packets.size() - at, 1 + random.below(64));
      const auto stream = static_cast<std::uint32_t>(random.below(options.streams));
      if (options.layout->tells_sources())
        rig.writer().appender(stream).comes_from(static_cast<std::uint32_t>(random.below(2)),
                                                 {.drop_handoff = random.below(3)});
      rig.feed(stream, packets.subspan(at, some));
      at += some;
      // Now and then the link is idle for long enough that the tail Block is written.
      rig.turn(random.below(20) == 0 ? Timestamp{trace[at - 1].time.ns + options.flush_age_ns + 1}
                                     : trace[at - 1].time);
    }
    ::_exit(5);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 5));
  return WEXITSTATUS(status) == 0;
}

std::vector<std::filesystem::path> drive_directories(const std::filesystem::path& base) {
  std::vector<std::filesystem::path> directories;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base)) {
    if (entry.is_directory() && entry.path().filename().string().starts_with("drive"))
      directories.push_back(entry.path());
  }
  return directories;
}

// Every packet's record, found by its header: times are unique.
class Records {
 public:
  Records(const Trace& trace, const format::FileLayout& layout) : trace_(trace), layout_(layout) {
    for (std::size_t i = 0; i < trace.size(); ++i) by_time_[trace[i].time.ns] = i;
  }

  // The packets whose records lie in `file` whole and as they were sent, and in written parts all over.
  std::vector<std::size_t> in(const std::vector<std::byte>& file, const std::vector<bool>& written) const {
    std::vector<std::size_t> found;
    const std::span<const std::byte> all(file);
    for (std::size_t offset = layout_.front().size(); offset < all.size(); ++offset) {
      const auto record = layout_.record_of(all.subspan(offset));
      if (!record) continue;
      const auto packet = by_time_.find(record->packet.time.ns);
      if (packet == by_time_.end() || !std::ranges::equal(record->packet.bytes, trace_[packet->second].bytes)) continue;
      const auto begin = written.begin() + static_cast<std::ptrdiff_t>(offset);
      const auto end = begin + static_cast<std::ptrdiff_t>(record->bytes);
      if (std::find(begin, end, false) == end) found.push_back(packet->second);
    }
    return found;
  }

 private:
  const Trace& trace_;
  const format::FileLayout& layout_;
  std::map<std::uint64_t, std::size_t> by_time_;
};

// Packets that the drives promised to have, before any repair.
std::vector<std::size_t> promised(const Trace& trace, const std::vector<std::filesystem::path>& directories,
                                  const Reported& reported, const format::FileLayout& layout) {
  const Records records(trace, layout);
  std::vector<std::size_t> packets;
  for (const auto& directory : directories) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (!entry.path().filename().string().ends_with(".open")) continue;
      struct stat status {};
      REQUIRE(::stat(entry.path().c_str(), &status) == 0);
      const auto file = read_bytes(entry.path());
      std::vector<bool> written(file.size());
      for (std::size_t i = 0; i < reported.count; ++i) {
        const auto& write = reported.writes[i];
        if (write.inode != static_cast<std::uint64_t>(status.st_ino)) continue;
        for (auto at = write.offset; at < std::min<std::uint64_t>(write.offset + write.bytes, file.size()); ++at)
          written[at] = true;
      }
      const auto found = records.in(file, written);
      packets.insert(packets.end(), found.begin(), found.end());
    }
  }
  return packets;
}

// Number of a packet in the trace, by its time.
std::map<std::uint64_t, std::size_t> numbers_of(const Trace& trace) {
  std::map<std::uint64_t, std::size_t> numbers;
  for (std::size_t i = 0; i < trace.size(); ++i) numbers[trace[i].time.ns] = i;
  return numbers;
}

std::size_t unreadable_files(const tools::RepairReport& report) {
  std::size_t count = 0;
  for (const auto& drive : report.directories) {
    count += static_cast<std::size_t>(
        std::ranges::count(drive.files, tools::RepairedFile::Outcome::unreadable, &tools::RepairedFile::outcome));
  }
  return count;
}

// Two interfaces; what a capture says in front of each file.
format::FileLayout pcapng_layout() {
  auto front = format::pcapng_section_header({.hardware = {}, .os = {}, .application = "a test"});
  for (int i = 0; i < 2; ++i) {
    const auto block = format::pcapng_interface_block({.linktype = format::linktype_ethernet, .snaplen = 262144});
    front.insert(front.end(), block.begin(), block.end());
  }
  format::FileLayout layout(format::PcapngRecords(), 2);
  layout.describe(std::move(front));
  return layout;
}

void crash_and_repair(std::uint64_t seed, bool power_cut, const format::FileLayout& layout = record::plain_pcap) {
  Random random(seed);
  TempDir directory;
  RigOptions options;
  options.drives = 1 + random.below(3);
  options.streams = 1 + static_cast<std::uint32_t>(random.below(2));
  options.block_bytes = static_cast<std::uint32_t>(4096u << random.below(6));
  options.blocks = 64;
  options.rotate_size = (256u << 10) << random.below(3);
  options.preallocate = random.below(2) == 0 ? 1 << 20 : 0;
  options.direct_io = random.below(2) == 0;
  options.layout = &layout;
  TraceSpec spec;
  const std::vector<std::string> kinds{"imix", "mixed", "jumbo", "60", "caida"};
  spec.kind = kinds[random.below(kinds.size())];
  spec.packets = 3000;
  spec.seed = random.next();
  const auto trace = make_trace(spec);

  auto* memory = ::mmap(nullptr, sizeof(Reported), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto& reported = *new (memory) Reported;
  const CrashPlan plan{seed, random.below(120), power_cut};
  const bool crashed = run_until_crash(directory.str(), trace, options, plan, reported);
  const auto directories = drive_directories(directory.path());
  const auto expected = power_cut ? std::vector<std::size_t>{} : promised(trace, directories, reported, layout);
  ::munmap(memory, sizeof(Reported));

  std::vector<std::string> places;
  for (const auto& drive : directories) places.push_back(drive.string());
  const auto report = tools::repair({places, false});
  REQUIRE(report);
  INFO("seed " << seed << (power_cut ? ", power cut" : "") << (crashed ? "" : ", ended before") << ", " << spec.kind
               << ", Blocks of " << options.block_bytes << "\n"
               << tools::render_table(*report));
  const auto numbers = numbers_of(trace);
  std::vector<bool> back(trace.size());
  for (const auto& file : read_sealed_files(directories)) {
    REQUIRE(check_times(file.packets) == "");
    REQUIRE(compare_as_subsequence(trace, file.packets) == "");
    for (std::size_t i = 0; i < file.packets.size(); ++i) {
      const auto number = numbers.at(file.packets[i].time.ns);
      REQUIRE_FALSE(back[number]);
      back[number] = true;
    }
  }
  for (const auto packet : expected) REQUIRE(back[packet]);
  REQUIRE(tools::verify(places)->problem_count() == unreadable_files(*report));
  const auto again = tools::repair({places, false});
  for (const auto& drive : again->directories) {
    for (const auto& file : drive.files) {
      REQUIRE(file.outcome == tools::RepairedFile::Outcome::unreadable);
    }
  }
}

}  // namespace

TEST_CASE("after a crash at any moment, every packet that a drive reported as written comes back as it was sent") {
  const auto seed = std::random_device{}();
  for (std::uint64_t round = 0; round < 40; ++round) crash_and_repair(seed + round, false);
}

TEST_CASE("after a crash at any moment, every packet of a pcapng file that was reported as written comes back") {
  const auto layout = pcapng_layout();
  const auto seed = std::random_device{}();
  for (std::uint64_t round = 0; round < 40; ++round) crash_and_repair(seed + round, false, layout);
}

TEST_CASE("after a power cut, all that comes back of pcapng files was sent, once and in order") {
  const auto layout = pcapng_layout();
  const auto seed = std::random_device{}();
  for (std::uint64_t round = 0; round < 40; ++round) crash_and_repair(seed + round, true, layout);
}

TEST_CASE("after a power cut, payload that looks like the header of an empty packet is not brought back as one") {
  crash_and_repair(1513411606, true);
}

TEST_CASE("after a power cut that unwrites what was never synced, all that comes back was sent, once and in order") {
  const auto seed = std::random_device{}();
  for (std::uint64_t round = 0; round < 40; ++round) crash_and_repair(seed + round, true);
}
