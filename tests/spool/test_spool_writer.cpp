// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <expected>
#include <random>

#include "format/bytes.hpp"
#include "format/index_file.hpp"
#include "policy/writer_shape.hpp"
#include "record/recorder.hpp"
#include "spool_rig.hpp"
#include "support/catch.hpp"
#include "support/faulty_io_queue.hpp"
#include "support/outside_tools.hpp"
#include "support/pcap_bytes.hpp"
#include "support/spool_files.hpp"
#include "support/trace.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

Trace mixed_trace(std::uint64_t packets, std::uint64_t seed = 1) {
  return make_trace({.kind = "mixed", .packets = packets, .seed = seed});
}

std::unique_ptr<storage::IoQueue> plain_queue() { return storage::make_pwrite_queue({}); }

// Hidden files left over: none when all went well.
std::size_t hidden_left(const SpoolRig& rig) { return hidden_files(rig.directories()).size(); }

std::uint64_t packets_on_disk(const SpoolRig& rig) { return read_spool(rig.directories()).size(); }

// The first index that is not that of the file it lies beside. A file that was cut may have none.
std::string wrong_index(const SpoolRig& rig) {
  for (const auto& file : read_sealed_files(rig.directories())) {
    auto path = file.path;
    path.replace_extension(".idx");
    if (!std::filesystem::exists(path)) continue;
    const auto index = format::decode_index(read_bytes(path));
    if (!index) return path.string() + ": " + format::to_string(index.error());
    std::uint64_t packets = 0;
    for (const auto& entry : index->entries) packets += entry.packets;
    if (index->header.packets != file.packets.size() || packets != file.packets.size())
      return path.string() + ": counts";
    if (index->header.first != file.packets[0].time) return path.string() + ": first packet";
    if (index->header.last != file.packets[packets - 1].time) return path.string() + ": last packet";
    if (index->header.file_bytes != std::filesystem::file_size(file.path)) return path.string() + ": length";
  }
  return "";
}

// The record that begins a file is 24 bytes in, one that straddles two Blocks is rare: both are met with small Blocks.
void store_and_compare(const Trace& trace, const RigOptions& options, const RefOptions& refs = {}) {
  auto queue = plain_queue();
  SpoolRig rig(options, *queue);
  rig.feed(0, TraceRefs(trace, refs).span());
  rig.finish();
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(rig.counters().drop_drive.get() == 0);
  CHECK(compare_in_order(trace, read_spool(rig.directories()), refs.keep) == "");
  CHECK(hidden_left(rig) == 0);
}

// A queue that refuses, shortens and delays writes; of all so many shares are EIO, and ENOSPC.
FaultOptions anything_fails(std::uint64_t seed, double io_error, double no_space) {
  return {.seed = seed,
          .delay = 8,
          .refused = 0.1,
          .short_write = 0.1,
          .alignment = 4096,
          .io_error = io_error,
          .no_space = no_space,
          .try_again = 0.05};
}

RigOptions shape_of(int round, std::size_t drives, std::mt19937_64& random) {
  return {.drives = drives,
          .block_bytes = round % 2 ? 8u << 10 : 64u << 10,
          .blocks = 64,
          .rotate_size = 256 << 10,
          .flush_age_ns = 20'000 + random() % 100'000};
}

}  // namespace

TEST_CASE("a trace comes back complete from one, two and three drives", "[spool]") {
  const auto drives = GENERATE(1, 2, 3);
  CAPTURE(drives);
  store_and_compare(mixed_trace(20'000), {.drives = static_cast<std::size_t>(drives)});
}

TEST_CASE("every kind of frame comes back", "[spool]") {
  const auto kind = GENERATE("60", "1514", "imix", "jumbo", "qinq", "empty", "lengths", "non-ip", "ipv6");
  CAPTURE(kind);
  store_and_compare(make_trace({.kind = kind, .packets = 5'000}), {.drives = 2});
}

TEST_CASE("records longer than a Block straddle several", "[spool]") {
  store_and_compare(make_trace({.kind = "jumbo", .packets = 500}),
                    {.drives = 2, .block_bytes = 4096, .blocks = 64, .rotate_size = 64 << 10});
}

TEST_CASE("a rotation size below two Blocks still ends and stores everything", "[spool]") {
  store_and_compare(mixed_trace(3'000), {.block_bytes = 16 << 10, .rotate_size = 16 << 10});
}

TEST_CASE("chained frames are stored whole, straddling or not", "[spool]") {
  store_and_compare(make_trace({.kind = "jumbo", .packets = 1'000}), {.block_bytes = 32 << 10}, {.chain_above = 1000});
}

TEST_CASE("of each frame as much is stored as is to be kept, with the length on the wire", "[spool]") {
  const auto keep = GENERATE(1u, 64u, 96u, 1500u);
  CAPTURE(keep);
  store_and_compare(mixed_trace(5'000), {}, {.keep = keep, .chain_above = 700});
}

TEST_CASE("tcpdump and capinfos read every sealed file", "[spool]") {
  const auto trace = mixed_trace(20'000);
  auto queue = plain_queue();
  SpoolRig rig({.drives = 2}, *queue);
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  std::uint64_t read = 0;
  for (const auto& file : sealed_files(rig.directories())) read += ask_tcpdump(file).packets;
  CHECK(read == trace.size());
}

TEST_CASE("files end at their size, and no file is longer", "[spool]") {
  auto queue = plain_queue();
  SpoolRig rig({.block_bytes = 64 << 10, .rotate_size = 256 << 10}, *queue);
  const auto trace = mixed_trace(10'000);
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  const auto files = sealed_files(rig.directories());
  CHECK(files.size() >= trace.bytes() / (256 << 10));
  for (const auto& file : files) CHECK(std::filesystem::file_size(file) <= 256 << 10);
}

TEST_CASE("two Streams never share a file, and each file is in order", "[spool]") {
  const auto first = mixed_trace(5'000, 1);
  const auto second = make_trace({.kind = "imix", .packets = 5'000, .seed = 2, .first_number = 1'000'000});
  auto queue = plain_queue();
  SpoolRig rig({.drives = 2, .streams = 2}, *queue);
  const TraceRefs first_refs(first), second_refs(second);
  for (std::size_t i = 0; i < 5'000; i += 50) {
    rig.feed(0, first_refs.span().subspan(i, 50));
    rig.feed(1, second_refs.span().subspan(i, 50));
  }
  rig.finish();
  for (const auto& file : read_sealed_files(rig.directories())) {
    INFO(file.path);
    CHECK((compare_as_subsequence(first, file.packets) == "" || compare_as_subsequence(second, file.packets) == ""));
    CHECK(check_times(file.packets) == "");
  }
  CHECK(packets_on_disk(rig) == 10'000);
}

TEST_CASE("an idle link's packets reach the drive after flush-age, in a file that tcpdump can read", "[spool]") {
  const auto trace = mixed_trace(10);
  const TraceRefs refs(trace);
  auto queue = plain_queue();
  SpoolRig rig({.preallocate = 1 << 20}, *queue);
  std::size_t fed = 0;
  for (const std::size_t batch : {3u, 1u, 6u}) {
    rig.feed(0, refs.span().subspan(fed, batch));
    fed += batch;
    const Timestamp late{trace[fed - 1].time.ns + 1'000'000'000};
    for (int i = 0; i < 5; ++i) rig.turn(late);
    REQUIRE(rig.counters().stored.get() == fed);
    std::uint64_t seen = 0;
    for (const auto& file : hidden_files(rig.directories()))
      if (std::filesystem::file_size(file) < (1 << 20)) seen += ask_tcpdump(file).packets;
    CHECK(seen == fed);
  }
  rig.finish();
  CHECK(compare_in_order(trace, read_spool(rig.directories())) == "");
}

TEST_CASE("a file ends at its age though the link is idle", "[spool]") {
  const auto trace = mixed_trace(10);
  auto queue = plain_queue();
  SpoolRig rig({.rotate_age_ns = 5'000'000'000}, *queue);
  rig.feed(0, TraceRefs(trace).span());
  rig.turn({trace[0].time.ns + 4'999'999'999});
  CHECK(sealed_files(rig.directories()).empty());
  for (int i = 0; i < 5; ++i) rig.turn({trace[0].time.ns + 5'000'000'000});
  CHECK(packets_on_disk(rig) == 10);
  rig.finish();
}

TEST_CASE("UTC set back begins new files, and none goes backwards", "[spool]") {
  const auto early = make_trace({.packets = 1'000, .start = {1'700'000'000'000'000'000}});
  const auto late = make_trace({.packets = 1'000, .start = {1'700'003'600'000'000'000}});
  Trace both;
  for (std::size_t i = 0; i < 1'000; ++i) both.append(late[i]);
  for (std::size_t i = 0; i < 1'000; ++i) both.append(early[i]);
  auto queue = plain_queue();
  SpoolRig rig({.drives = 2}, *queue);
  const TraceRefs refs(both);
  for (std::size_t i = 0; i < 2'000; i += 64) rig.feed(0, refs.span().subspan(i, std::min<std::size_t>(64, 2'000 - i)));
  rig.finish();
  CHECK(packets_on_disk(rig) == 2'000);
  for (const auto& file : read_sealed_files(rig.directories())) CHECK(check_times(file.packets) == "");
}

TEST_CASE("a capture that received nothing leaves no file", "[spool]") {
  auto queue = plain_queue();
  SpoolRig rig({.drives = 2}, *queue);
  rig.turn();
  rig.finish();
  CHECK(sealed_files(rig.directories()).empty());
  CHECK(hidden_left(rig) == 0);
}

TEST_CASE("the fewest Blocks that are allowed are enough", "[spool]") {
  const auto drives = GENERATE(1u, 3u);
  const policy::WriterShape shape{
      .streams = 2, .drives = drives, .block_bytes = 16 << 10, .snaplen = 9216, .carry_bytes = format::carry_capacity};
  const auto trace = make_trace({.kind = "jumbo", .packets = 2'000});
  auto queue = plain_queue();
  SpoolRig rig({.drives = drives, .streams = 2, .block_bytes = 16 << 10, .blocks = shape.fewest_blocks()}, *queue);
  const TraceRefs refs(trace);
  rig.feed(0, refs.span().first(1'000));
  rig.feed(1, refs.span().subspan(1'000));
  rig.finish();
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
}

namespace {

// What lies between an Appender on a lcore of its own and the writer's sink, without the rings: so many empty Blocks,
// and full ones are there at once.
class SuppliedDock final : public record::BlockDock {
 public:
  SuppliedDock(record::Writer& writer) : writer_(writer) { supply(); }

  void supply() {
    while (empty_.size() < writer_.shape().supply(writer_.blocks())) {
      auto* const block = writer_.sink().get_for_stream();
      if (!block) return;
      empty_.push_back(block);
    }
  }
  void give_back() {
    for (auto* block : empty_) writer_.sink().give_back(*block);
    empty_.clear();
  }

  record::Block* get() noexcept override {
    if (empty_.empty()) return nullptr;
    auto* const block = empty_.back();
    empty_.pop_back();
    return block;
  }
  std::size_t available() const noexcept override { return empty_.size(); }
  void take_full(record::Block& block) noexcept override { writer_.sink().take_full(block); }
  bool take_tail(record::Block& block) noexcept override {
    writer_.sink().take_tail(block, {block.length, block.tally});
    return true;
  }
  std::span<const std::uint32_t> loads() noexcept override {
    loads_.clear();
    for (const auto* drive : writer_.drives()) loads_.push_back(drive->load());
    return loads_;
  }
  std::uint32_t renewals(std::size_t drive) const noexcept override { return writer_.drives()[drive]->renewals(); }

 private:
  record::Writer& writer_;
  std::vector<record::Block*> empty_;
  std::vector<std::uint32_t> loads_;
};

}  // namespace

TEST_CASE("the fewest Blocks that are allowed are enough where each Appender is on a lcore of its own", "[spool]") {
  const auto drives = GENERATE(1u, 3u);
  const policy::WriterShape shape{.streams = 2,
                                  .drives = drives,
                                  .streams_append = true,
                                  .block_bytes = 4 << 10,
                                  .snaplen = 9216,
                                  .carry_bytes = format::carry_capacity};
  const auto trace = make_trace({.kind = "jumbo", .packets = 2'000});
  auto queue = plain_queue();
  SpoolRig rig(
      {.drives = drives, .streams = 2, .streams_append = true, .block_bytes = 4 << 10, .blocks = shape.fewest_blocks()},
      *queue);
  SuppliedDock ports[] = {{rig.writer()}, {rig.writer()}};
  record::Appender appenders[] = {{rig.writer().appender_options(0), ports[0]},
                                  {rig.writer().appender_options(1), ports[1]}};
  const TraceRefs refs(trace);
  for (std::size_t i = 0; i < trace.size(); ++i)
    for (unsigned turns = 0; appenders[i % 2].append(refs.span().subspan(i, 1)) == 0; ++turns) {
      REQUIRE(turns < 1'000);  // it stands still
      rig.turn();
      for (auto& port : ports) port.supply();
    }
  for (auto& appender : appenders) appender.finish();
  for (auto& port : ports) port.give_back();
  rig.finish();
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
}

// ---- what listeners are told

namespace {

// Notes what it is told, of files by the number the writer has for them.
struct NotingListener final : record::BlockListener, record::SealListener {
  void retired(const record::Block& block, record::FileSlot& file) noexcept override {
    in_order &= block.offset == next && block.file.number == ended;
    next = block.last_of_file ? 0 : block.offset + block.capacity;
    packets += block.tally.packets;
    open &= file.state.load() == record::FileSlot::State::open;
  }
  void file_ended(std::uint32_t, record::FileSlot&) noexcept override {
    in_order &= next == 0;
    ++ended;
  }
  void sealing(const storage::Directory& directory, const std::string& pcap) noexcept override {
    early &= !std::filesystem::exists(directory.path_of(pcap));
    announced.push_back(pcap);
  }
  void removed(const storage::Directory&, const std::string&) override {}
  void sealed(const storage::Directory& directory, const std::string& pcap, const record::SealedFile&) override {
    const std::filesystem::path path = directory.path_of(pcap);
    late &=
        std::filesystem::exists(path) && std::filesystem::exists(std::filesystem::path(path).replace_extension(".idx"));
    told.push_back(path);
  }

  std::uint64_t next = 0, packets = 0;
  std::uint32_t ended = 0;
  bool in_order = true, open = true, early = true, late = true;
  std::vector<std::string> announced;
  std::vector<std::filesystem::path> told;
};

}  // namespace

TEST_CASE("a listener is told of each Block once, in file order, and of each file before and after it gets its name",
          "[spool]") {
  NotingListener listener;
  const auto trace = mixed_trace(20'000);
  auto queue = plain_queue();
  SpoolRig rig({.rotate_size = 256 << 10, .seal_listeners = {&listener}, .block_listeners = {&listener}}, *queue);
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  CHECK(listener.in_order);
  CHECK(listener.open);
  CHECK(listener.packets == trace.size());
  CHECK(listener.early);
  CHECK(listener.late);
  auto files = sealed_files(rig.directories());
  REQUIRE(files.size() > 1);
  CHECK(listener.ended == files.size());
  CHECK(listener.announced.size() == files.size());
  std::ranges::sort(files);
  std::ranges::sort(listener.told);
  CHECK(listener.told == files);
}

TEST_CASE("what a dead drive did not take is retired where it is appended again, and nowhere else", "[spool][faulty]") {
  FaultyIoQueue queue({.seed = 1});
  const auto trace = mixed_trace(20'000);
  struct Counting final : record::BlockListener {
    void retired(const record::Block& block, record::FileSlot&) noexcept override { packets += block.tally.packets; }
    void file_ended(std::uint32_t, record::FileSlot&) noexcept override {}
    std::uint64_t packets = 0;
  } listener;
  SpoolRig rig({.drives = 2, .block_listeners = {&listener}}, queue);
  queue.add_death({.directory = rig.directory(1).string(), .from = 3, .result = -EIO});
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  CHECK(rig.drive(1).state() == record::DriveState::failed);
  CHECK(listener.packets == trace.size());
}

// ---- drives that misbehave

TEST_CASE("short writes, refusals and late completions lose nothing", "[spool][faulty]") {
  const std::uint64_t seed = std::random_device{}();
  FaultyIoQueue queue(
      {.seed = seed, .delay = 6, .refused = 0.2, .short_write = 0.3, .alignment = 4096, .try_again = 0.1});
  const auto trace = mixed_trace(20'000);
  SpoolRig rig({.drives = 3, .flush_age_ns = 1'000}, queue);
  const TraceRefs refs(trace);
  for (std::size_t i = 0; i < trace.size(); i += 100) {
    rig.feed(0, refs.span().subspan(i, 100));
    rig.turn(trace[i + 99].time);
  }
  rig.finish();
  INFO(queue.describe());
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(compare_in_order(trace, read_spool(rig.directories())) == "");
  CHECK(hidden_left(rig) == 0);
}

TEST_CASE("a drive that dies is left aside and its packets go to the others", "[spool][faulty]") {
  const std::uint64_t seed = std::random_device{}();
  const auto from = GENERATE(0u, 1u, 7u);
  const auto error = GENERATE(-EIO, -ENOSPC);
  TempDir nowhere;
  FaultyIoQueue* queue = nullptr;
  auto faults = std::make_unique<FaultyIoQueue>(FaultOptions{.seed = seed, .delay = 4, .deaths = {}});
  queue = faults.get();
  CAPTURE(seed, from, error);
  const auto trace = mixed_trace(20'000);
  SpoolRig rig({.drives = 3, .flush_age_ns = 50'000}, *queue);
  queue->add_death({.directory = rig.directory(1).string(), .from = from, .result = error});
  const TraceRefs refs(trace);
  for (std::size_t i = 0; i < trace.size(); i += 100) {
    rig.feed(0, refs.span().subspan(i, 100));
    rig.turn(trace[i + 99].time);
  }
  rig.finish();
  CHECK(rig.drive(1).state() == (error == -ENOSPC ? record::DriveState::full : record::DriveState::failed));
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(rig.counters().drop_drive.get() == 0);
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
  for (const auto& file : read_sealed_files(rig.directories()))
    CHECK(compare_as_subsequence(trace, file.packets) == "");
  CHECK(hidden_left(rig) == 0);
}

TEST_CASE("a full drive that has room again takes Blocks again, and nothing is lost or there twice",
          "[spool][faulty]") {
  const auto seed = GENERATE(range(1, 9));
  const auto drives = GENERATE(std::size_t{1}, std::size_t{2});
  CAPTURE(seed, drives);
  const auto trace = mixed_trace(30'000);
  const TraceRefs refs(trace);
  std::vector<FaultOptions::Chosen> full;
  for (const std::uint64_t nth : {9, 10, 11, 40, 90}) full.push_back({nth + static_cast<std::uint64_t>(seed), -ENOSPC});
  FaultyIoQueue queue({.seed = static_cast<std::uint64_t>(seed), .delay = 4, .chosen = full});
  SpoolRig rig({.drives = drives, .rotate_size = 512 << 10, .tends_drives = true}, queue);
  auto packets = refs.span();
  while (!packets.empty()) {
    const auto some = packets.first(std::min<std::size_t>(packets.size(), 50));
    rig.feed(0, some);
    rig.turn(some.back().stamp);
    packets = packets.subspan(some.size());
    CHECK(rig.drive(0).state() != record::DriveState::failed);
  }
  rig.finish();
  INFO(queue.describe());
  CHECK(queue.counts().writes > 100);
  const auto stored = rig.counters().stored.get(), dropped = rig.counters().drop_drive.get();
  CHECK(stored + dropped == trace.size());
  if (drives == 2) CHECK(dropped == 0);
  CHECK(queue.counts().no_space > 0);
  CHECK(stored > trace.size() / 2);
  const auto read = read_spool(rig.directories());
  CHECK(read.size() == stored);
  CHECK(hidden_files(rig.directories()).empty());
}

TEST_CASE("whatever fails, what is reported as stored is what is on disk", "[spool][faulty]") {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 30; ++round) {
    FaultyIoQueue queue(anything_fails(seed + static_cast<std::uint64_t>(round), 0.004, 0.002));
    const auto trace = make_trace({.kind = round % 3 ? "mixed" : "jumbo", .packets = 4'000});
    const std::size_t drives = 1 + random() % 4;
    SpoolRig rig(shape_of(round, drives, random), queue);
    const TraceRefs refs(trace, {.chain_above = round % 5 ? UINT32_MAX : 500});
    for (std::size_t i = 0; i < trace.size(); i += 50) {
      rig.feed(0, refs.span().subspan(i, 50));
      rig.turn(trace[i + 49].time);
      const auto ended = rig.counters().stored.get() + rig.counters().drop_drive.get();
      REQUIRE(static_cast<std::int64_t>(i + 50 - ended) == rig.held());
    }
    rig.finish();
    REQUIRE(rig.held() == 0);
    INFO("round " << round << ", drives " << drives << ", " << queue.describe());
    const auto on_disk = read_spool(rig.directories());
    REQUIRE(rig.counters().stored.get() == on_disk.size());
    REQUIRE(rig.counters().stored.get() + rig.counters().drop_drive.get() == trace.size());
    REQUIRE(rig.counters().stored_bytes.get() == on_disk.bytes());
    if (rig.sink().takes_packets()) REQUIRE(compare_as_set(trace, on_disk) == "");
    for (const auto& file : read_sealed_files(rig.directories()))
      REQUIRE(compare_as_subsequence(trace, file.packets) == "");
    REQUIRE(hidden_left(rig) == 0);
    REQUIRE(wrong_index(rig) == "");
  }
}

TEST_CASE("a drive that only ever says try again has failed after a while, and its packets go to the others",
          "[spool][faulty]") {
  const std::uint64_t flush_age_ns = GENERATE(1'000u, 1'000'000'000u);  // tails too, or full Blocks only
  FaultyIoQueue queue({.seed = 1});
  const auto trace = mixed_trace(20'000);
  SpoolRig rig({.drives = 2, .flush_age_ns = flush_age_ns, .patience_ns = 1'000'000}, queue);
  queue.add_death({.directory = rig.directory(1).string(), .from = 3, .result = -EAGAIN});
  const TraceRefs refs(trace);
  for (std::size_t i = 0; i < trace.size(); i += 100) {
    rig.feed(0, refs.span().subspan(i, 100));
    rig.turn(trace[i + 99].time);
  }
  rig.finish();
  CHECK(rig.drive(1).state() == record::DriveState::failed);
  CHECK(rig.drive(1).why().find("again and again") != std::string::npos);
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
}

TEST_CASE("an idle drive that only ever says try again does not hold a tail for ever", "[spool][faulty]") {
  FaultyIoQueue queue({.seed = 1, .try_again = 1});
  const auto trace = mixed_trace(10);
  SpoolRig rig({.patience_ns = 1'000'000}, queue);
  rig.feed(0, TraceRefs(trace).span());
  const Timestamp late{trace[9].time.ns + 1'000'000'000};
  while (rig.drive(0).ok()) rig.turn(late);
  rig.finish();
  CHECK(rig.counters().drop_drive.get() == trace.size());
}

TEST_CASE("a frame that is shorter than its driver says is stored as far as it goes", "[spool]") {
  const auto block_bytes = GENERATE(8u << 10, 64u << 10);  // over Blocks, or in one
  const auto trace = make_trace({.kind = "jumbo", .packets = 50});
  const TraceRefs refs(trace, {.chain_above = 500});
  std::vector<record::PacketRef> boasting(refs.span().begin(), refs.span().end());
  for (auto& packet : boasting) packet.caplen = packet.wirelen += 65'536;
  auto queue = plain_queue();
  SpoolRig rig({.block_bytes = block_bytes}, *queue);
  rig.feed(0, boasting);
  rig.finish();
  const auto stored = read_spool(rig.directories());
  REQUIRE(stored.size() == trace.size());
  for (std::size_t i = 0; i < trace.size(); ++i) {
    CHECK(stored[i].wirelen == boasting[i].wirelen);
    CHECK(std::ranges::equal(stored[i].bytes, trace[i].bytes));
  }
}

TEST_CASE("a file that a dying drive cut within a record has no index that says otherwise", "[spool][faulty]") {
  FaultyIoQueue queue({.seed = 1});
  const auto trace = make_trace({.kind = "1514", .packets = 2'000});
  SpoolRig rig({.drives = 2, .rotate_size = 64 << 20}, queue);
  queue.add_death({.directory = rig.directory(0).string(), .from = 5, .result = -ENOSPC});
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  REQUIRE(sealed_files({rig.directory(0)}).size() == 1);
  CHECK(wrong_index(rig) == "");
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
}

TEST_CASE("without any drive everything is counted as drop_drive", "[spool][faulty]") {
  FaultyIoQueue queue({.seed = 7, .io_error = 1});
  const auto trace = mixed_trace(2'000);
  SpoolRig rig({.drives = 2}, queue);
  const TraceRefs refs(trace);
  for (std::size_t i = 0; i < trace.size(); i += 100) {
    rig.feed(0, refs.span().subspan(i, 100));
    rig.turn();
  }
  rig.finish();
  CHECK(rig.counters().stored.get() == 0);
  CHECK(rig.counters().drop_drive.get() == trace.size());
  CHECK(sealed_files(rig.directories()).empty());
}

// ---- drives that come back

namespace {

using Moment = std::chrono::steady_clock::time_point;

// Notes what it is told, and refuses so often.
struct NotingDriveListener final : record::DriveListener {
  void left(std::size_t drive) override { gone.push_back(drive); }
  std::expected<void, storage::IoError> back(std::size_t drive) override {
    if (refusals > 0) {
      --refusals;
      return std::unexpected(storage::IoError{"taking it back", EBUSY});
    }
    returned.push_back(drive);
    return {};
  }
  unsigned refusals = 0;
  std::vector<std::size_t> gone, returned;
};

}  // namespace

TEST_CASE("a drive that failed is left alone, tried after a pause, and then holds packets again", "[spool][faulty]") {
  const auto trace = mixed_trace(40'000);
  FaultyIoQueue queue({.chosen = {{9, -EIO}}});
  NotingDriveListener listener;
  listener.refusals = 2;
  SpoolRig rig({.drives = 2, .flush_age_ns = 50'000, .drive_listener = &listener}, queue);
  const TraceRefs refs(trace);
  const auto feed = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; i += 100) {
      rig.feed(0, refs.span().subspan(i, 100));
      rig.turn(trace[i + 99].time);
    }
  };
  feed(0, trace.size() / 2);
  const std::size_t failed = rig.drive(0).ok() ? 1 : 0;
  REQUIRE(rig.drive(failed).state() == record::DriveState::failed);
  for (int i = 0; i < 100 && rig.drive(failed).writers_gone() == 0; ++i) rig.turn();
  REQUIRE(rig.drive(failed).writers_gone() == 1);

  Moment now{};
  rig.tend_drives(now);
  CHECK(listener.gone == std::vector{failed});
  rig.tend_drives(now + std::chrono::milliseconds(900));  // too early
  CHECK(listener.returned.empty());
  (void)rig.drive(failed).take_complaints();
  rig.tend_drives(now += std::chrono::seconds(1));  // refused
  CHECK(rig.drive(failed).take_complaints().size() == 1);
  rig.tend_drives(now += std::chrono::seconds(1));  // for the same reason
  CHECK(rig.drive(failed).take_complaints().empty());
  CHECK_FALSE(rig.drive(failed).ok());
  REQUIRE(rig.drive(failed).absences().size() == 1);
  CHECK_FALSE(rig.drive(failed).absences().front().to);
  rig.tend_drives(now += std::chrono::seconds(1));
  CHECK(listener.returned == std::vector{failed});
  CHECK(rig.drive(failed).ok());
  CHECK(rig.drive(failed).times_back() == 1);
  REQUIRE(rig.drive(failed).absences().size() == 1);
  CHECK(rig.drive(failed).absences().front().to);
  CHECK(rig.drive(failed).absences().front().why == "writing: Input/output error");

  const auto before = rig.drive_counters(failed).blocks.get();
  feed(trace.size() / 2, trace.size());
  rig.finish();
  CHECK(rig.drive_counters(failed).blocks.get() > before);
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(rig.counters().drop_drive.get() == 0);
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
  CHECK(hidden_left(rig) == 0);
}

TEST_CASE("whatever fails and comes back, what is reported as stored is what is on disk, once", "[spool][faulty]") {
  const std::uint64_t seed = std::random_device{}();
  std::printf("drives that come back: seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  std::uint64_t times_back = 0;
  for (int round = 0; round < 12; ++round) {
    FaultyIoQueue queue(anything_fails(seed + static_cast<std::uint64_t>(round), 0.02, 0.01));
    const auto trace = make_trace({.kind = round % 3 ? "mixed" : "jumbo", .packets = 2'000});
    const std::size_t drives = 1 + random() % 4;
    SpoolRig rig(shape_of(round, drives, random), queue);
    const TraceRefs refs(trace, {.chain_above = round % 5 ? UINT32_MAX : 500});
    Moment now{};
    for (std::size_t i = 0; i < trace.size(); i += 50) {
      rig.feed(0, refs.span().subspan(i, 50));
      rig.turn(trace[i + 49].time);
      if (random() % 4 == 0) rig.tend_drives(now += std::chrono::seconds(70));
      const auto ended = rig.counters().stored.get() + rig.counters().drop_drive.get();
      REQUIRE(static_cast<std::int64_t>(i + 50 - ended) == rig.held());
    }
    rig.finish();
    REQUIRE(rig.held() == 0);
    for (std::size_t drive = 0; drive < drives; ++drive) times_back += rig.drive(drive).times_back();
    INFO("seed " << seed << " round " << round << ", drives " << drives << ", " << queue.describe());
    const auto on_disk = read_spool(rig.directories());
    REQUIRE(rig.counters().stored.get() == on_disk.size());
    REQUIRE(rig.counters().stored.get() + rig.counters().drop_drive.get() == trace.size());
    if (rig.counters().drop_drive.get() == 0) REQUIRE(compare_as_set(trace, on_disk) == "");
    for (const auto& file : read_sealed_files(rig.directories()))
      REQUIRE(compare_as_subsequence(trace, file.packets) == "");
    REQUIRE(wrong_index(rig) == "");
  }
  CHECK(times_back > 0);
}

TEST_CASE("a file of which a Block was lost does not go on when its drive is back", "[spool][faulty]") {
  const auto trace = make_trace({.kind = "1514", .packets = 200});
  FaultyIoQueue queue({.chosen = {{0, -EIO}}});
  SpoolRig rig({.drives = 2, .streams_append = true, .block_bytes = 64 << 10, .blocks = 64}, queue);
  SuppliedDock dock(rig.writer());
  record::Appender appender(rig.writer().appender_options(0), dock);
  const TraceRefs refs(trace);
  // A lcore that is away: it fills Blocks of one file, and does not look at its drives while one fails and comes back.
  dock.supply();
  std::size_t done = appender.append(refs.span());
  for (int i = 0; i < 200; ++i) rig.turn();
  const std::size_t failed = rig.drive(0).ok() ? 1 : 0;
  REQUIRE(rig.drive(failed).state() == record::DriveState::failed);
  CHECK(rig.drive(failed).writers_gone() == 0);  // that file has not ended
  rig.tend_drives(Moment{});
  rig.tend_drives(Moment{} + std::chrono::hours(1));
  CHECK_FALSE(rig.drive(failed).ok());
  while (done < trace.size()) {
    dock.supply();
    done += appender.append(refs.span().subspan(done));
    rig.turn();
  }
  appender.finish();
  for (int i = 0; i < 200; ++i) rig.turn();
  CHECK(rig.drive(failed).writers_gone() == 1);
  dock.give_back();
  rig.finish();
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
}

TEST_CASE("a drive that is full and then fails has failed, and one that failed does not become full") {
  record::Drive drive("/data", 4096);
  drive.fail(ENOSPC, "writing");
  CHECK(drive.state() == record::DriveState::full);
  CHECK(drive.failures() == 0);
  drive.fail(EIO, "trying");
  CHECK(drive.state() == record::DriveState::failed);
  CHECK(drive.failures() == 1);
  CHECK(drive.why() == "trying: Input/output error");
  drive.fail(ENOSPC, "writing");
  drive.fail(EROFS, "writing");
  CHECK(drive.failures() == 1);
  CHECK(drive.why() == "trying: Input/output error");
  CHECK(drive.absences().size() == 1);
}

TEST_CASE("of a drive that comes back again and again the latest absences are known, and how many there were") {
  record::Drive drive("/data", 4096);
  for (int i = 0; i < 100; ++i) {
    drive.fail(i % 2 ? EIO : ENOSPC, std::to_string(i));
    drive.take_back();
  }
  CHECK(drive.ok());
  CHECK(drive.why().empty());
  CHECK(drive.times_back() == 100);
  const auto absences = drive.absences();
  REQUIRE(absences.size() == record::Drive::most_absences);
  CHECK(absences.back().why == "99: Input/output error");
  for (const auto& away : absences) CHECK(away.from.ns <= away.to.value().ns);
}
