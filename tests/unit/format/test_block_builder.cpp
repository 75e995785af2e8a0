// SPDX-License-Identifier: BSD-3-Clause
#include "format/block_builder.hpp"

#include <algorithm>
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
  const auto expected = pcap_bytes(trace);
  Bytes block(expected.size() - 24 + margin, untouched);
  auto* at = block.data();
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto packet = trace[i];
    at = put_record(at, Second::of(packet.time).header(packet.time, packet.caplen(), packet.wirelen),
                    packet.bytes.data());
  }
  const auto written = static_cast<std::size_t>(at - block.data());
  REQUIRE(written == expected.size() - 24);
  CHECK(std::ranges::equal(std::span(block).first(written), std::span(expected).subspan(24)));
  CHECK(all_untouched(std::span(block).subspan(written)));
}

TEST_CASE("a packet that is cut keeps the length that it had on the wire") {
  const Bytes frame(100, std::byte{7});
  Bytes record(16 + 64 + margin, untouched);
  const PcapRecordHeader header{1, 2, 64, 100};
  CHECK(put_record(record.data(), header, frame.data()) == record.data() + 16 + 64);
  CHECK(record[8] == std::byte{64});
  CHECK(record[12] == std::byte{100});
  CHECK(all_untouched(std::span(record).last(margin)));
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
  const auto header = known.header(Timestamp{begin + 999'999'999}, 60, 61);
  CHECK(header.seconds == second);
  CHECK(header.nanoseconds == 999'999'999);
  CHECK(header.caplen == 60);
  CHECK(header.wirelen == 61);
}
