// SPDX-License-Identifier: BSD-3-Clause
#include "format/pcap_records.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::format;
using namespace wirespool::test;
using Bytes = std::vector<std::byte>;
using Second = PcapRecords::Second;

namespace {

constexpr std::byte untouched{0xa5};
constexpr std::size_t margin = 64;

Bytes random_bytes(std::size_t size, Random& random) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

bool all_untouched(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == untouched; });
}

// The records of a trace one behind the other, as outside tools want them.
Bytes records_of(const Trace& trace) {
  const auto file = pcap_bytes(trace);
  return {file.begin() + 24, file.end()};
}

// Sets the 32 bits at `offset`.
void damage(Bytes& bytes, std::size_t offset, std::uint32_t number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
}

}  // namespace

TEST_CASE("a frame of any length is copied whole, and nothing beside it is touched") {
  Random random(3);
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= 1600; ++length) lengths.push_back(length);
  lengths.insert(lengths.end(), {9014, 65535, max_snaplen});
  for (const auto length : lengths) {
    INFO(length << " bytes");
    const auto frame = random_bytes(length, random);
    for (const std::size_t shift : {0, 1, 7, 16, 63}) {  // a Block is aligned, a record in it is not
      Bytes to(margin + shift + length + margin, untouched);
      copy_frame(to.data() + margin + shift, frame.data(), length);
      const std::span all(to);
      REQUIRE(std::ranges::equal(all.subspan(margin + shift, length), frame));
      REQUIRE(all_untouched(all.first(margin + shift)));
      REQUIRE(all_untouched(all.last(margin)));
    }
  }
}

TEST_CASE("records put one behind the other are the bytes that pcap-savefile(5) asks for") {
  const auto trace = make_trace({.kind = "lengths", .packets = 1514, .min_bytes = 14});
  const auto expected = records_of(trace);
  Bytes block(expected.size() + margin, untouched);
  PcapRecords::Pen pen(block.data(), Second::of(trace[0].time));
  std::uint32_t frames = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto packet = trace[i];
    REQUIRE(Second::of(trace[0].time).holds(packet.time));
    const auto* const end = pen.end_with(packet.caplen());
    pen.put({packet.time, packet.caplen(), packet.wirelen}, packet.bytes.data());
    REQUIRE(block.data() + pen.bytes() == end);
    frames += packet.caplen();
  }
  REQUIRE(pen.bytes() == expected.size());
  CHECK(pen.frame_bytes(static_cast<std::uint32_t>(trace.size())) == frames);
  CHECK(std::ranges::equal(std::span(block).first(pen.bytes()), expected));
  CHECK(all_untouched(std::span(block).subspan(pen.bytes())));
}

TEST_CASE("a packet that is cut keeps the length that it had on the wire") {
  const Bytes frame(100, std::byte{7});
  Bytes record(16 + 64 + margin, untouched);
  PcapRecords::Pen pen(record.data(), Second::of(Timestamp{1'000'000'002}));
  pen.put({Timestamp{1'000'000'002}, 64, 100}, frame.data());
  CHECK(pen.bytes() == 16 + 64);
  CHECK(record[0] == std::byte{1});
  CHECK(record[4] == std::byte{2});
  CHECK(record[8] == std::byte{64});
  CHECK(record[12] == std::byte{100});
  CHECK(all_untouched(std::span(record).last(margin)));
}

TEST_CASE("a record put around a frame that lies there already is the one that is put with it") {
  const auto trace = make_trace({.kind = "mixed", .packets = 200});
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto packet = trace[i];
    const RecordHead head{packet.time, packet.caplen(), packet.wirelen};
    const auto bytes = PcapRecords::bytes_of(packet.caplen());
    Bytes put(bytes + margin, untouched), enclosed = put;
    PcapRecords::Pen(put.data(), Second::of(packet.time)).put(head, packet.bytes.data());
    std::ranges::copy(packet.bytes, enclosed.begin() + PcapRecords::front_bytes);
    PcapRecords::enclose(enclosed.data(), head);
    REQUIRE(put == enclosed);
  }
}

TEST_CASE("a second holds its own nanoseconds, and neither the one before nor the one behind") {
  const auto second = GENERATE(std::uint64_t{0}, std::uint64_t{1'767'225'600}, std::uint64_t{0xffffffff});
  const auto begin = second * 1'000'000'000;
  const auto known = Second::of(Timestamp{begin + 12345});
  CHECK(known.number == second);
  CHECK(known.holds(Timestamp{begin}));
  CHECK(known.holds(Timestamp{begin + 999'999'999}));
  CHECK_FALSE(known.holds(Timestamp{begin + 1'000'000'000}));
  if (begin > 0) CHECK_FALSE(known.holds(Timestamp{begin - 1}));
  const Bytes frame(60);
  Bytes record(16 + 60);
  PcapRecords::Pen(record.data(), known).put({Timestamp{begin + 999'999'999}, 60, 61}, frame.data());
  const auto header = load<PcapRecordHeader>(record);
  CHECK(header.seconds == second);
  CHECK(header.nanoseconds == 999'999'999);
  CHECK(header.caplen == 60);
  CHECK(header.wirelen == 61);
}

TEST_CASE("a file begins with what its snaplen and link type are") {
  const auto trace = make_trace({.packets = 1});
  const PcapDialect dialect{.linktype = GENERATE(1u, 113u), .snaplen = GENERATE(64u, 262144u)};
  const auto expected = pcap_bytes(trace, dialect);
  const PcapRecords records(dialect.snaplen, dialect.linktype);
  CHECK(PcapRecords::file_header_bytes == 24);
  CHECK(std::ranges::equal(records.front(), std::span(expected).first(24)));
}

TEST_CASE("what was put is read back, record by record") {
  const auto trace = make_trace({.kind = "mixed", .packets = 500});
  const auto records = records_of(trace);
  std::span<const std::byte> rest(records);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto record = PcapRecords::record_of(rest);
    REQUIRE(record);
    CHECK(record->packet.time == trace[i].time);
    CHECK(record->packet.wirelen == trace[i].wirelen);
    CHECK(record->packet.bytes.data() == rest.data() + 16);
    REQUIRE(std::ranges::equal(record->packet.bytes, trace[i].bytes));
    REQUIRE(record->bytes == PcapRecords::bytes_of(trace[i].caplen()));
    rest = rest.subspan(record->bytes);
  }
  CHECK(rest.empty());
  CHECK_FALSE(PcapRecords::record_of(rest));
  CHECK_FALSE(PcapRecords::head_of(rest));
}

TEST_CASE("a record cut anywhere is no record, and its head is one as soon as all of that is there") {
  const auto records = records_of(make_trace({.kind = "60", .packets = 1}));
  for (std::size_t left = 0; left < records.size(); ++left) {
    INFO(left << " bytes");
    const auto bytes =
        Bytes(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(left));  // to be seen by ASan
    CHECK_FALSE(PcapRecords::record_of(bytes));
    CHECK(PcapRecords::head_of(bytes).has_value() == (left >= 16));
  }
  CHECK(PcapRecords::record_of(records));
}

TEST_CASE("a damaged caplen never makes a record that reaches beyond the bytes") {
  const auto whole = records_of(make_trace({.kind = "60", .packets = 2}));
  for (const std::uint32_t claimed :
       {2 * 76u - 15, max_snaplen, max_snaplen + 1, 0x7fffffffu, 0xffffffefu, 0xffffffffu}) {
    INFO("caplen " << claimed);
    auto bytes = whole;
    damage(bytes, 8, claimed);
    CHECK_FALSE(PcapRecords::record_of(bytes));
    CHECK(PcapRecords::head_of(bytes).has_value() == (claimed <= max_snaplen));
  }
  auto bytes = whole;
  damage(bytes, 8, 2 * 76 - 16);
  REQUIRE(PcapRecords::record_of(bytes));
  CHECK(PcapRecords::record_of(bytes)->bytes == bytes.size());
}

TEST_CASE("a walk over records with flipped bits ends, and stays within them") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto whole = records_of(make_trace({.kind = "mixed", .packets = 50}));
  for (int round = 0; round < 2'000; ++round) {
    auto bytes = whole;
    for (std::uint64_t flips = random.between(1, 8); flips > 0; --flips)
      bytes[random.below(bytes.size())] ^= static_cast<std::byte>(1u << random.below(8));
    bytes.resize(random.below(bytes.size()) + 1);
    std::span<const std::byte> rest(bytes);
    while (const auto record = PcapRecords::record_of(rest)) {
      REQUIRE(record->bytes >= 16);
      REQUIRE(record->bytes <= rest.size());
      REQUIRE(record->packet.bytes.data() + record->packet.bytes.size() <= rest.data() + rest.size());
      rest = rest.subspan(record->bytes);
    }
  }
}
