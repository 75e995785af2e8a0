// SPDX-License-Identifier: BSD-3-Clause
#include "format/record_scanner.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::format;
using namespace wirespool::test;
using Bytes = std::vector<std::byte>;

namespace {

constexpr Timestamp start{1'767'225'600'000'000'000};
constexpr std::uint64_t second = 1'000'000'000, day = 86'400 * second;
constexpr std::size_t header_bytes = sizeof(PcapRecordHeader);

// Records without the file header, and where they begin.
struct Records {
  Bytes bytes;
  std::vector<std::size_t> at;

  void add(Timestamp time, std::uint32_t caplen, std::uint32_t wirelen, std::byte fill = std::byte{0xee}) {
    at.push_back(bytes.size());
    const PcapRecordHeader header{time.seconds(), time.nanoseconds(), caplen, wirelen};
    const auto head = std::as_bytes(std::span{&header, 1});
    bytes.insert(bytes.end(), head.begin(), head.end());
    bytes.resize(bytes.size() + caplen, fill);
  }
};

Records records_of(std::uint64_t packets, std::uint64_t seed = 1) {
  Random random(seed);
  Records records;
  for (std::uint64_t i = 0; i < packets; ++i) {
    const auto length = random.between(60, 1514);
    records.add(Timestamp{start.ns + i * 1000}, length, length);
  }
  return records;
}

std::optional<std::size_t> find(std::span<const std::byte> bytes, TimeLimits limits = {}, Timestamp previous = {},
                                bool complete = true) {
  return RecordScanner(PcapDecoder::native(), limits).find(bytes, previous, complete);
}

bool plausible(const PcapRecordHeader& header, Timestamp previous = {}, TimeLimits limits = {}) {
  return RecordScanner(PcapDecoder::native(), limits)
      .plausible(std::as_bytes(std::span{&header, 1}), previous)
      .has_value();
}

}  // namespace

TEST_CASE("a record header is told from other bytes by its lengths, its fraction and its order") {
  const auto seconds = start.seconds();
  CHECK(plausible({seconds, 999'999'999, 60, 60}));
  CHECK(plausible({seconds, 0, 60, 1514}));
  CHECK_FALSE(plausible({seconds, 1'000'000'000, 60, 60}));
  CHECK_FALSE(plausible({seconds, 0, 61, 60}));
  CHECK(plausible({seconds, 0, max_snaplen, max_snaplen}));
  CHECK_FALSE(plausible({seconds, 0, max_snaplen + 1, max_snaplen + 1}));
  CHECK_FALSE(plausible({seconds, 0, 60, (1u << 20) + 1}));
  CHECK_FALSE(plausible({0, 0, 0, 0}));
  CHECK(plausible({seconds, 5, 60, 60}, Timestamp{start.ns + 5}));
  CHECK_FALSE(plausible({seconds, 4, 60, 60}, Timestamp{start.ns + 5}));
  TimeLimits loose;
  loose.may_go_back_ns = 1;
  CHECK(plausible({seconds, 4, 60, 60}, Timestamp{start.ns + 5}, loose));
}

TEST_CASE("no time is impossible where a record follows another: a clock can have been put right by decades") {
  CHECK(plausible({1, 0, 60, 60}));
  CHECK(plausible({0xffffffff, 0, 60, 60}, Timestamp{second}));
}

TEST_CASE("from any byte on, the next record is found") {
  const auto records = records_of(30);
  for (std::size_t from = 0; from < records.at[20]; from += 7) {
    const auto found = find(std::span(records.bytes).subspan(from));
    REQUIRE(found);
    REQUIRE(from + *found == *std::ranges::lower_bound(records.at, from));
  }
}

TEST_CASE("the last record may be cut, and zeros may follow it") {
  auto records = records_of(10);
  const auto garbage = Bytes(5, std::byte{0xff});
  const auto in = [&](Bytes bytes) {
    bytes.insert(bytes.begin(), garbage.begin(), garbage.end());
    return find(bytes);
  };
  auto cut = records.bytes;
  cut.resize(records.at[9] + header_bytes + 1);
  CHECK(in(cut) == garbage.size());
  auto padded = records.bytes;
  padded.resize(padded.size() + 4096);
  CHECK(in(padded) == garbage.size());
}

TEST_CASE("bytes that hold no record yield none, and too few of them neither") {
  Bytes noise(20'000);
  Random random(7);
  for (auto& byte : noise) byte = static_cast<std::byte>(random.next());
  CHECK_FALSE(find(noise));
  CHECK_FALSE(find(Bytes(20'000)));
  CHECK_FALSE(find(std::span(noise).first(header_bytes - 1)));
  CHECK_FALSE(find({}));
}

TEST_CASE("records of empty packets are no evidence: their lengths are zeros") {
  Records empty;
  for (int i = 0; i < 100; ++i) empty.add(start, 0, 0);
  CHECK_FALSE(find(empty.bytes));
}

TEST_CASE("a record that keeps nothing of its packet is no evidence either") {
  Records records;
  records.add(start, 0, 513);
  CHECK_FALSE(find(records.bytes));
}

TEST_CASE("the lengths of a record and the addresses of its frame are not taken for a record of 1970") {
  // A page that begins inside a record's header, behind its time: the caplen would be the seconds, the wirelen the
  // nanoseconds, the addresses the lengths, and what follows a record that is cut by the end.
  Records records;
  records.add(Timestamp{60 * second + 60}, 2, 131328);
  records.add(Timestamp{61 * second}, 9000, 9000);
  auto cut = std::span(records.bytes).first(records.at[1] + header_bytes + 100);
  CHECK_FALSE(find(cut));
  TimeLimits limits;
  limits.likely_from = Timestamp{start.ns - day};
  limits.likely_to = Timestamp{start.ns + day};
  CHECK_FALSE(find(cut, limits));
  limits.likely_from = Timestamp{second};
  CHECK(find(cut, limits) == 0u);
}

TEST_CASE("of two chains the one with more whole records is taken: a capture may carry another one") {
  // A frame full of small records, and behind it the file's own go on for longer.
  Records inner;
  for (int i = 0; i < 17; ++i) inner.add(start, 60, 60);
  Records outer;
  const auto frame = static_cast<std::uint32_t>(inner.bytes.size()) + 5;
  outer.add(start, frame, frame);
  std::ranges::copy(inner.bytes, outer.bytes.begin() + header_bytes);
  for (int i = 0; i < 40; ++i) outer.add(Timestamp{start.ns + 1000}, 300, 300);
  CHECK(find(outer.bytes) == 0u);
}

TEST_CASE("where more follows, a record in the last bytes is not told: its chain is not confirmed") {
  const auto records = records_of(300);
  REQUIRE(records.bytes.size() > RecordScanner::confirm_bytes + 20'000);
  const auto end = records.bytes.size() - RecordScanner::confirm_bytes;
  const auto found = find(std::span(records.bytes).subspan(3), {}, {}, false);
  REQUIRE(found);
  CHECK(*found + 3 == records.at[1]);
  const auto tail = std::span(records.bytes).subspan(end + 1);
  CHECK_FALSE(find(tail, {}, {}, false));
}

TEST_CASE("times that the capture tells of come first, whatever longer chain the bytes allow") {
  // A packet of a recurring number looks like many small records of the year 1970.
  Records records;
  for (int i = 0; i < 20; ++i) records.add(Timestamp{start.ns + 1000}, 400, 400);
  records.add(Timestamp{start.ns + 2000}, 4000, 4000);
  for (std::size_t at = records.at.back() + header_bytes; at + 4 <= records.bytes.size(); at += 4) {
    const std::uint32_t four = 4;
    std::memcpy(records.bytes.data() + at, &four, 4);
  }
  const auto cut = std::span(records.bytes).subspan(3);
  TimeLimits limits;
  CHECK(find(cut, limits) != records.at[1] - 3);
  limits.likely_from = Timestamp{start.ns - day};
  limits.likely_to = Timestamp{start.ns + day};
  CHECK(find(cut, limits) == records.at[1] - 3);
}

TEST_CASE("if no chain is of a likely time, one of any time is found") {
  const auto records = records_of(30);
  TimeLimits limits;
  limits.likely_from = Timestamp{start.ns + 400 * day};
  limits.likely_to = Timestamp{start.ns + 500 * day};
  limits.may_go_on_ns = day;
  CHECK(find(std::span(records.bytes).subspan(1), limits) == records.at[1] - 1);
}

TEST_CASE("a chain of unlikely times does not go on by more than it may") {
  Records records;
  records.add(start, 60, 60);
  records.add(Timestamp{start.ns + 2 * day}, 60, 60);
  records.add(Timestamp{start.ns + 2 * day}, 60, 60);
  TimeLimits limits;
  limits.may_go_on_ns = day;
  CHECK(find(records.bytes, limits) == records.at[1]);
  limits.may_go_on_ns = 2 * day;
  CHECK(find(records.bytes, limits) == records.at[0]);
}

TEST_CASE("behind damage a record may not be from before what was read last, nor from longer after it than allowed") {
  const auto records = records_of(30);
  TimeLimits limits;
  CHECK_FALSE(find(records.bytes, limits, Timestamp{start.ns + second}));
  limits.may_go_back_behind_damage_ns = second;
  CHECK(find(records.bytes, limits, Timestamp{start.ns + second}) == 0u);
  limits.may_go_on_behind_damage_ns = second;
  CHECK_FALSE(find(records.bytes, limits, Timestamp{start.ns - 2 * second}));
}

TEST_CASE("zeros at the front and at the end are counted to the byte") {
  for (std::size_t zeros = 0; zeros < 40; ++zeros) {
    Bytes front(zeros);
    front.push_back(std::byte{1});
    auto end = front;
    std::ranges::reverse(end);
    CHECK(leading_zeros(front) == zeros);
    CHECK(trailing_zeros(end) == zeros);
    CHECK(leading_zeros(std::span(front).first(zeros)) == zeros);
    CHECK(trailing_zeros(std::span(front).first(zeros)) == zeros);
  }
}

TEST_CASE("whatever single bytes are damaged, what is found begins as a record can, and no later than it must") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto good = records_of(40, 5);
  for (int round = 0; round < 200; ++round) {
    auto bytes = good.bytes;
    const auto from = random.below(good.at[10]);
    const auto damaged = good.at[20] + random.below(good.at[21] - good.at[20]);
    bytes[damaged] ^= static_cast<std::byte>(1 + random.below(255));
    const auto found = find(std::span(bytes).subspan(from));
    REQUIRE(found);
    CHECK(from + *found <= good.at[22]);
    CHECK(std::ranges::binary_search(good.at, from + *found));
  }
}
