// SPDX-License-Identifier: BSD-3-Clause
#include "format/pcap_decoder.hpp"

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

namespace {

constexpr std::size_t file_header = 24, record_header = 16;

Trace some_packets(std::uint64_t packets = 20) { return make_trace({.kind = "mixed", .packets = packets}); }

PcapDecoder decoder_of(std::span<const std::byte> file) {
  auto decoder = PcapDecoder::recognise(file);
  REQUIRE(decoder);
  return *decoder;
}

std::span<const std::byte> records_of(const std::vector<std::byte>& file) {
  return std::span(file).subspan(file_header);
}

void put(std::vector<std::byte>& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace

TEST_CASE("packets of every dialect are read as they were written") {
  const bool big_endian = GENERATE(false, true), microseconds = GENERATE(false, true);
  CAPTURE(big_endian, microseconds);
  const auto trace = some_packets();
  const auto file = pcap_bytes(trace, {big_endian, microseconds, 113, 4000});
  const auto decoder = decoder_of(file);
  CHECK(decoder.linktype() == 113);
  CHECK(decoder.snaplen() == 4000);
  CHECK_FALSE(decoder.is_native());
  auto left = records_of(file);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto decoded = decoder.next(left);
    REQUIRE(decoded.kind == Decoded::Kind::packet);
    CHECK(decoded.linktype == 113);
    CHECK(decoded.packet.time.ns == trace[i].time.ns / (microseconds ? 1000 : 1) * (microseconds ? 1000 : 1));
    CHECK(decoded.packet.wirelen == trace[i].wirelen);
    CHECK(std::ranges::equal(decoded.packet.bytes, trace[i].bytes));
    left = left.subspan(decoded.bytes);
  }
  CHECK(left.empty());
}

TEST_CASE("only what wirespool itself writes is native") {
  CHECK(decoder_of(pcap_bytes(some_packets())).is_native());
  CHECK(PcapDecoder::native().is_native());
  CHECK_FALSE(decoder_of(pcap_bytes(some_packets(), {true, false, 1, 262144})).is_native());
  CHECK_FALSE(decoder_of(pcap_bytes(some_packets(), {false, true, 1, 262144})).is_native());
}

TEST_CASE("a file header cut at any byte, of another magic number or a version to come is refused with the reason") {
  const auto good = pcap_bytes({});
  for (std::size_t length = 0; length < file_header; ++length)
    CHECK_FALSE(PcapDecoder::recognise(std::span(good).first(length)));
  CHECK(PcapDecoder::recognise(std::span(good).first(10)).error().find("ends within") != std::string::npos);
  auto other = good;
  other[0] ^= std::byte{1};
  CHECK_FALSE(PcapDecoder::has_magic(other));
  CHECK(PcapDecoder::recognise(other).error().find("does not begin as") != std::string::npos);
  auto newer = good;
  newer[4] = std::byte{3};
  CHECK(PcapDecoder::recognise(newer).error().find("3.4") != std::string::npos);
}

TEST_CASE("what stands above the link type is no part of it, and a snaplen of 0 is none") {
  auto file = pcap_bytes({});
  put(file, 16, 0);
  put(file, 20, 0xf4000001);  // frames carry an FCS of four bytes
  CHECK(decoder_of(file).linktype() == linktype_ethernet);
  CHECK(decoder_of(file).snaplen() == max_snaplen);
}

TEST_CASE("a record cut at any byte asks for exactly what is missing") {
  const auto trace = some_packets(1);
  const auto file = pcap_bytes(trace);
  const auto decoder = decoder_of(file);
  const auto record = records_of(file);
  for (std::size_t length = 0; length < record.size(); ++length) {
    const auto decoded = decoder.next(record.first(length));
    REQUIRE(decoded.kind == Decoded::Kind::more);
    CHECK(decoded.bytes == (length < record_header ? record_header : record.size()));
  }
}

TEST_CASE("a record that claims to be longer than any packet is damage, the longest one is not") {
  auto file = pcap_bytes(some_packets(1));
  put(file, file_header + 8, max_snaplen);
  CHECK(decoder_of(file).next(records_of(file)).kind == Decoded::Kind::more);
  CHECK(decoder_of(file).next(records_of(file)).bytes == record_header + max_snaplen);
  put(file, file_header + 8, max_snaplen + 1);
  const auto decoded = decoder_of(file).next(records_of(file));
  CHECK(decoded.kind == Decoded::Kind::damaged);
  CHECK(std::string(decoded.why).find("longer than any packet") != std::string::npos);
}

TEST_CASE("a pcap file with any bytes damaged yields packets that lie within it, or ends") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto good = pcap_bytes(some_packets(50));
  for (int round = 0; round < 200; ++round) {
    auto file = good;
    for (auto flips = 1 + random.below(20); flips > 0; --flips)
      file[random.below(file.size())] ^= static_cast<std::byte>(1u << random.below(8));
    const auto decoder = PcapDecoder::recognise(file);
    if (!decoder) continue;
    for (auto left = records_of(file);;) {
      const auto decoded = decoder->next(left);
      if (decoded.kind != Decoded::Kind::packet) break;
      REQUIRE(decoded.bytes <= left.size());
      REQUIRE(decoded.packet.bytes.data() >= left.data());
      REQUIRE(decoded.packet.bytes.data() + decoded.packet.bytes.size() == left.data() + decoded.bytes);
      left = left.subspan(decoded.bytes);
    }
  }
}
