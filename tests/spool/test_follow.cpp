// SPDX-License-Identifier: BSD-3-Clause
// What a running capture has stored, read while it stores more: by a Recorder that this thread turns.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <vector>

#include "format/file_name.hpp"
#include "format/live_file.hpp"
#include "spool_rig.hpp"
#include "support/catch.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"
#include "tools/repair.hpp"
#include "wirespool/follow.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

// A reader of all that a rig stores.
struct Reader {
  explicit Reader(const SpoolRig& rig, Follow::Begin begin = Follow::Begin::oldest, Query query = {})
      : follow(std::move(*Follow::open(places(rig), std::move(query), begin))) {}

  static std::vector<std::string> places(const SpoolRig& rig) {
    std::vector<std::string> all;
    for (const auto& directory : rig.directories()) all.push_back(directory.string());
    return all;
  }

  void take() {
    follow.look_again();
    while (const auto* packet = follow.next()) got.append(packet->view);
  }

  Follow follow;
  Trace got;
};

std::unique_ptr<storage::IoQueue> plain_queue() { return storage::make_pwrite_queue({}); }

RigOptions telling(RigOptions options) {
  options.tells_readers = true;
  return options;
}

Trace mixed(std::uint64_t packets) { return make_trace({.kind = "mixed", .packets = packets}); }

std::span<const record::PacketRef> part(const TraceRefs& refs, std::size_t from, std::size_t to) {
  return refs.span().subspan(from, to - from);
}

void remove_sealed(const fs::path& pcap) {
  fs::remove(pcap);
  fs::remove(fs::path(pcap).replace_extension(".idx"));
}

}  // namespace

TEST_CASE("what is stored in an open file is read before it is sealed, and the rest when it is") {
  const auto trace = mixed(4'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 64 << 20}), *io);
  rig.feed(0, part(refs, 0, 2'000));
  rig.settle();
  REQUIRE(sealed_files(rig.directories()).empty());
  Reader reader(rig);
  reader.take();
  CHECK(reader.got.size() == rig.counters().stored.get());
  CHECK(reader.got.size() > 1'900);
  CHECK_FALSE(reader.follow.at_end());
  rig.feed(0, part(refs, 2'000, 4'000));
  rig.settle();
  reader.take();
  CHECK(reader.got.size() == rig.counters().stored.get());
  rig.finish();
  rig.end_keepers();
  reader.take();
  CHECK(reader.follow.at_end());
  CHECK(compare_in_order(trace, reader.got) == "");
  CHECK(reader.follow.problems().empty());
  CHECK(reader.follow.missed().files == 0);
  CHECK_FALSE(fs::exists(rig.directory(0) / ".test.live"));
}

TEST_CASE("what is flushed on an idle link is read though its Block is not full") {
  const auto trace = mixed(10);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.flush_age_ns = second_ns}), *io);
  rig.feed(0, refs.span());
  rig.settle();
  Reader reader(rig);
  reader.take();
  CHECK(reader.got.size() == 0);
  rig.settle(Timestamp{trace[9].time.ns + 2 * second_ns});
  reader.take();
  CHECK(compare_in_order(trace, reader.got) == "");
  rig.feed(0, refs.span());  // the same Block goes on, and is written again
  rig.settle(Timestamp{trace[9].time.ns + 5 * second_ns});
  reader.take();
  CHECK(reader.got.size() == 20);
}

TEST_CASE("a reader goes on over files that are sealed and begun, in order and without a packet twice") {
  const auto trace = mixed(20'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 256 << 10}), *io);
  rig.settle();
  Reader reader(rig);
  for (std::size_t at = 0; at < trace.size(); at += 500) {
    rig.feed(0, part(refs, at, at + 500));
    rig.settle();
    if (at % 1'500 == 0) reader.take();
  }
  CHECK(sealed_files(rig.directories()).size() > 10);
  rig.finish();
  rig.end_keepers();
  reader.take();
  CHECK(compare_in_order(trace, reader.got) == "");
  CHECK(reader.follow.late() == 0);
  CHECK(reader.follow.missed().files == 0);
}

TEST_CASE("packets of several Streams on several drives come in order of time") {
  const auto trace = mixed(20'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.drives = 2, .streams = 2, .block_bytes = 16 << 10, .blocks = 64, .rotate_size = 512 << 10}),
               *io);
  rig.settle();
  Reader reader(rig);
  for (std::size_t at = 0; at < trace.size(); at += 250) {
    rig.feed(static_cast<std::uint32_t>(at / 250 % 2), part(refs, at, at + 250));
    rig.settle();
    reader.take();
  }
  CHECK(reader.got.size() > 0);
  rig.finish();
  rig.end_keepers();
  reader.take();
  CHECK(compare_as_set(trace, reader.got) == "");
  CHECK(check_times(reader.got) == "");
  CHECK(reader.follow.late() == 0);
}

TEST_CASE("a lane that stays idle holds the others back for its flush age and a second, and no longer") {
  const auto trace = mixed(4'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.streams = 2, .block_bytes = 16 << 10, .blocks = 64, .flush_age_ns = 1'000'000}), *io);
  rig.feed(0, part(refs, 0, 500));
  rig.settle(Timestamp{trace[499].time.ns + second_ns});
  rig.feed(1, part(refs, 500, 4'000));
  rig.settle(Timestamp{trace[3'999].time.ns + second_ns});
  REQUIRE(rig.counters().stored.get() == 4'000);
  Reader reader(rig);
  reader.take();
  CHECK(reader.got.size() == 500);
  for (int i = 0; i < 6'000 && reader.got.size() < 4'000; ++i) {
    ::usleep(10'000);
    reader.take();
  }
  CHECK(compare_in_order(trace, reader.got) == "");
}

TEST_CASE("who begins now gets what is stored from now on, and nothing before") {
  const auto trace = mixed(6'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 512 << 10}), *io);
  rig.feed(0, part(refs, 0, 4'000));
  rig.settle();
  const auto before = rig.counters().stored.get();
  Reader reader(rig, Follow::Begin::now);
  reader.take();
  CHECK(reader.got.size() == 0);
  rig.feed(0, part(refs, 4'000, 6'000));
  rig.finish();
  rig.end_keepers();
  reader.take();
  CHECK(reader.got.size() == trace.size() - before);
  CHECK(compare_as_subsequence(trace, reader.got) == "");
}

TEST_CASE("files that are removed before they are read are counted, and all others are read") {
  const auto trace = mixed(20'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 256 << 10}), *io);
  rig.feed(0, part(refs, 0, 5'000));
  rig.settle();
  Reader reader(rig);  // knows some sealed ones, and has opened none
  rig.feed(0, part(refs, 5'000, 20'000));
  rig.finish();
  const auto sealed = sealed_files(rig.directories());
  REQUIRE(sealed.size() > 8);
  std::uint64_t removed_packets = 0, removed_bytes = 0;
  for (const auto index : {std::size_t{1}, sealed.size() - 2}) {  // one that it knows, one that it never saw
    removed_bytes += fs::file_size(sealed[index]);
    for (const auto& file : read_sealed_files(rig.directories()))
      if (file.path == sealed[index]) removed_packets += file.packets.size();
    remove_sealed(sealed[index]);
  }
  reader.take();
  rig.end_keepers();
  reader.take();
  CHECK(reader.follow.missed().files == 2);
  CHECK(reader.follow.missed().bytes == removed_bytes);
  CHECK(reader.got.size() == trace.size() - removed_packets);
  CHECK(compare_as_subsequence(trace, reader.got) == "");
  CHECK(reader.follow.problems().empty());
}

TEST_CASE("a file that was open is read to its end though it was sealed and removed meanwhile") {
  const auto trace = mixed(2'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 64 << 20}), *io);
  rig.feed(0, part(refs, 0, 1'000));
  rig.settle();
  Reader reader(rig);
  rig.feed(0, part(refs, 1'000, 2'000));
  rig.finish();
  for (const auto& file : sealed_files(rig.directories())) remove_sealed(file);
  rig.end_keepers();
  reader.take();
  CHECK(compare_in_order(trace, reader.got) == "");
  CHECK(reader.follow.missed().files == 0);
}

TEST_CASE("a filter and a time are those of a query") {
  const auto trace = mixed(8'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 256 << 10}), *io);
  Query query;
  query.from = trace[1'000].time;
  query.filter = *Filter::compile("udp");
  rig.feed(0, part(refs, 0, 4'000));
  rig.settle();
  Reader reader(rig, Follow::Begin::oldest, query);
  reader.take();
  rig.feed(0, part(refs, 4'000, 8'000));
  rig.finish();
  rig.end_keepers();
  reader.take();
  const auto spool = Spool::open(Reader::places(rig));
  Trace expected;
  Merge merge(*spool, query);
  for (const auto& packet : merge) expected.append(packet.view);
  REQUIRE(expected.size() > 100);
  CHECK(compare_in_order(expected, reader.got) == "");
}

TEST_CASE("a spool with open files has what is stored in them, and refresh() never calls these added") {
  const auto trace = mixed(4'000);
  const TraceRefs refs(trace);
  const auto io = plain_queue();
  SpoolRig rig(telling({.block_bytes = 16 << 10, .rotate_size = 256 << 10}), *io);
  rig.feed(0, part(refs, 0, 3'000));
  rig.settle();
  auto spool = *Spool::open(Reader::places(rig), Spool::Archives::searched, Spool::OpenFiles::included);
  CHECK(std::ranges::count_if(spool.files(), &SpoolEntry::open) == 1);
  const auto stored = rig.counters().stored.get();
  Merge before(spool);
  rig.feed(0, part(refs, 3'000, 4'000));
  rig.finish();  // the file that was open gets its name before the second merge opens it
  Trace got;
  for (const auto& packet : before) got.append(packet.view);
  CHECK(got.size() == stored);
  CHECK(compare_as_subsequence(trace, got) == "");
  Merge after(spool);
  CHECK(std::ranges::distance(after.begin(), after.end()) == static_cast<std::ptrdiff_t>(stored));
  const auto known = sealed_files(rig.directories()).size();
  const auto changes = spool.refresh();
  REQUIRE(changes);
  CHECK(changes->removed.empty());
  CHECK(changes->added.size() < known);
  CHECK(std::ranges::none_of(changes->added, &SpoolEntry::open));
}

TEST_CASE("what a capture that crashed left says nothing, and repair removes it") {
  const TempDir temp;
  const auto live = temp / ".t.live";
  format::LiveFile told{Timestamp{1}, second_ns, 0, 0, {}};
  told.files.push_back({".t-20261121T075430.123456789Z-w00-000000.pcap.open", 1, 24, 0, 0, 0, 0});
  const auto bytes = format::encode_live_file(told);
  std::ofstream(live, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  auto follow = *Follow::open({temp.path().string()});
  CHECK(follow.next() == nullptr);
  CHECK_FALSE(follow.running());
  CHECK(follow.at_end());
  const auto dry = tools::repair({.directories = {temp.path().string()}, .dry_run = true});
  REQUIRE(dry);
  CHECK(fs::exists(live));
  const auto done = tools::repair({.directories = {temp.path().string()}});
  REQUIRE(done);
  CHECK_FALSE(fs::exists(live));
  REQUIRE(done->directories.front().notices.size() == 1);
  CHECK(done->directories.front().notices.front().find(".t.live") != std::string::npos);
}

TEST_CASE("a live file that its capture holds is left alone by repair") {
  const auto io = plain_queue();
  const auto trace = mixed(2'000);
  const TraceRefs refs(trace);
  SpoolRig rig(telling({.block_bytes = 16 << 10}), *io);
  rig.feed(0, refs.span());
  rig.settle();
  REQUIRE(tools::repair({.directories = {rig.directory(0).string()}}));
  CHECK(fs::exists(rig.directory(0) / ".test.live"));
}
