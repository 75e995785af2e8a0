// SPDX-License-Identifier: BSD-3-Clause
// The flow index that a capture makes from its Blocks, against the one made from the finished file.
#include <random>

#include "format/crc32c.hpp"
#include "format/index_file.hpp"
#include "read/file_mark.hpp"
#include "read/index_builder.hpp"
#include "spool_rig.hpp"
#include "support/catch.hpp"
#include "support/faulty_io_queue.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/spool_files.hpp"
#include "support/trace.hpp"
#include "wirespool/spool_file.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

constexpr std::uint64_t plenty = 8 << 20;

std::vector<std::byte> index_from_file(const std::filesystem::path& path, std::uint32_t block_bytes) {
  read::IndexBuilder builder(
      {format::IndexLevel::flow, block_bytes, true, format::capture_mark(SpoolRig::capture_start)});
  auto file = SpoolFile::open(path.string());
  REQUIRE(file);
  while (const auto* packet = file->next()) builder.add(*packet);
  return builder.finish(std::span<const std::byte>(read_bytes(path)).first(24), file->size(),
                        read::mark_of(path.string()));
}

// The files whose index is not, byte for byte, what the file gives. One that was cut may have none.
std::size_t other_indices(const SpoolRig& rig, std::uint32_t block_bytes) {
  std::size_t others = 0;
  for (const auto& path : sealed_files(rig.directories())) {
    auto beside = path;
    beside.replace_extension(".idx");
    if (std::filesystem::exists(beside)) others += read_bytes(beside) != index_from_file(path, block_bytes);
  }
  return others;
}

struct Keys {
  format::KeyCollector collector;
  std::vector<format::FlowKey> all;

  std::vector<std::byte> frame(std::uint32_t number) {
    std::vector<std::byte> bytes(60);
    bytes[12] = std::byte{8};
    for (std::size_t i = 0; i < 4; ++i) bytes[26 + i] = static_cast<std::byte>(number >> (24 - 8 * i));
    all.push_back(format::ipv4_key(number, 32));
    return bytes;
  }
  void collect(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) collector.add(frame(first + i * 77));
  }
};

}  // namespace

TEST_CASE("a capture's flow index is the one that its files would be given afterwards", "[spool]") {
  const auto kind = GENERATE("60", "mixed", "jumbo", "ipv6", "empty", "lengths");
  const auto block_bytes = GENERATE(4096u, 65536u);
  CAPTURE(kind, block_bytes);
  const auto trace = make_trace({.kind = kind, .packets = 4'000, .flows = 700});
  auto queue = storage::make_pwrite_queue({});
  SpoolRig rig({.drives = 2, .block_bytes = block_bytes, .blocks = 64, .filter_bytes = plenty}, *queue);
  rig.feed(0, TraceRefs(trace).span());
  rig.finish();
  CHECK(other_indices(rig, block_bytes) == 0);
  CHECK(sealed_files(rig.directories()).size() >= 2);
}

TEST_CASE("it is so on an idle link too, and when drives fail", "[spool][faulty]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FaultyIoQueue queue({.seed = seed, .io_error = seed % 2 ? 0 : 0.02});
    const auto trace = make_trace({.kind = "mixed", .packets = 3'000, .seed = seed});
    SpoolRig rig({.drives = 3,
                  .block_bytes = 16 << 10,
                  .blocks = 64,
                  .rotate_size = 256 << 10,
                  .flush_age_ns = 40'000,
                  .filter_bytes = plenty},
                 queue);
    const TraceRefs refs(trace);
    for (std::size_t i = 0; i < trace.size(); i += 50) {
      rig.feed(0, refs.span().subspan(i, 50));
      rig.turn(trace[i + 49].time);
    }
    rig.finish();
    INFO("seed " << seed);
    REQUIRE(other_indices(rig, 16 << 10) == 0);
  }
}

TEST_CASE("rows that become one have the checksum of both, however often", "[spool]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  std::vector<std::byte> file(20'000);
  for (auto& byte : file) byte = static_cast<std::byte>(random.next());
  record::IndexRows rows;
  rows.take_memory(4, 0, true);
  const auto sum = [&file](std::uint64_t from, std::uint64_t to) {
    return format::crc32c(std::span(file).subspan(from, to - from));
  };
  rows.go_on(sum(0, 24), 24);
  for (std::uint64_t at = 24; at < file.size();) {
    const auto middle = std::min<std::uint64_t>(at + random.below(300), file.size());
    const auto end = std::min<std::uint64_t>(middle + 1 + random.below(300), file.size());
    rows.add({at, Timestamp{at}, Timestamp{at}, 1, sum(at, middle)});
    rows.go_on(sum(middle, end), end - middle);
    at = end;
  }
  CHECK(rows.head_checksum() == sum(0, 24));
  REQUIRE(rows.entries().size() <= 4);
  for (std::size_t i = 0; i < rows.entries().size(); ++i) {
    const bool last = i + 1 == rows.entries().size();
    const auto end = last ? file.size() : rows.entries()[i + 1].first_record;
    CHECK(rows.entries()[i].checksum == sum(rows.entries()[i].first_record, end));
  }
}

TEST_CASE("rows that become one have the keys of both", "[spool]") {
  record::IndexRows rows;
  rows.take_memory(8, plenty, false);
  Keys keys;
  std::vector<std::size_t> keys_before_row;
  for (std::uint32_t row = 0; row < 27; ++row) {
    rows.add({row, Timestamp{row + 1}, Timestamp{row + 1}, 1, 0});
    keys_before_row.push_back(keys.all.size());
    keys.collect(row << 16, 1 + row * row * 5);
    rows.add_filter(keys.collector);
  }
  const auto filters = rows.filters();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < rows.entries().size(); ++i) {
    const auto bytes = rows.lines()[i] * sizeof(format::FilterLine);
    const format::KeySet filter(filters.subspan(offset, bytes));
    const bool last = i + 1 == rows.entries().size();
    const auto end = last ? keys.all.size() : keys_before_row[rows.entries()[i + 1].first_record];
    for (auto key = keys_before_row[rows.entries()[i].first_record]; key < end; ++key)
      REQUIRE(filter.may_contain(keys.all[key]));
    offset += bytes;
  }
  CHECK(offset == filters.size());
  CHECK(rows.lines().size() == rows.entries().size());
}

TEST_CASE("a filter that there is no room for is left out, and the next small one is not", "[spool]") {
  record::IndexRows rows;
  rows.take_memory(8, 64 * sizeof(format::FilterLine), false);
  Keys keys;
  for (const auto count : {2u, 2000u, 3u}) {
    rows.add({count, Timestamp{1}, Timestamp{1}, 1, 0});
    keys.collect(count << 20, count);
    rows.add_filter(keys.collector);
  }
  CHECK(rows.lines()[0] > 0);
  CHECK(rows.lines()[1] == 0);
  CHECK(rows.lines()[2] > 0);
}
