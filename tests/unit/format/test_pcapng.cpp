// SPDX-License-Identifier: BSD-3-Clause
#include "format/pcapng.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "format/pcap.hpp"
#include "format/pcapng_records.hpp"
#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::format;
using namespace wirespool::test;
using Bytes = std::vector<std::byte>;

namespace {

Trace some_packets(std::uint64_t packets = 20) { return make_trace({.kind = "mixed", .packets = packets}); }

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes u32(std::initializer_list<std::uint32_t> values) {
  Bytes out;
  for (const auto value : values)
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(value >> shift));
  return out;
}

Bytes block(std::uint32_t type, const Bytes& body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  return u32({type, length}) + body + u32({length});
}

const Bytes section = block(pcapng_section, u32({pcapng_byte_order, 1, ~0u, ~0u}));
const Bytes ethernet = block(pcapng_interface, u32({1, 0}));

Bytes packet_of(std::uint32_t interface, std::uint32_t caplen, std::uint32_t room) {
  return block(pcapng_enhanced_packet, u32({interface, 0, 5, caplen, caplen}) + Bytes(room));
}

// All packets, and what ended them: Kind::more at a clean end.
struct Read {
  Trace packets;
  Decoded end;
  std::uint64_t left = 0;  // bytes behind the last block that was taken
  std::uint32_t linktype = 0;
};

Read read_all(std::span<const std::byte> file) {
  PcapngDecoder decoder;
  Read read;
  while (true) {
    read.end = decoder.next(file);
    read.left = file.size();
    const bool taken = read.end.kind == Decoded::Kind::packet || read.end.kind == Decoded::Kind::other;
    if (!taken || read.end.bytes > file.size()) return read;
    if (read.end.kind == Decoded::Kind::packet) {
      read.packets.append(read.end.packet);
      read.linktype = read.end.linktype;
    }
    file = file.subspan(read.end.bytes);
  }
}

std::string damage(const Bytes& file) {
  const auto end = read_all(file).end;
  return end.kind == Decoded::Kind::damaged ? end.why : "";
}

}  // namespace

TEST_CASE("packets of either byte order, any resolution of times and each kind of packet block are read") {
  const bool big_endian = GENERATE(false, true);
  const unsigned resolution = GENERATE(9u, 6u, 3u, 10u, 0x80u | 30u);
  const std::int64_t offset = GENERATE(0, 1'000'000'000);
  const std::uint32_t type = GENERATE(pcapng_enhanced_packet, pcapng_old_packet);
  CAPTURE(big_endian, resolution, offset, type);
  const auto trace = some_packets();
  const auto read = read_all(pcapng_bytes(trace, {big_endian, resolution, offset, type, 113}));
  CHECK(read.end.kind == Decoded::Kind::more);
  CHECK(read.left == 0);
  CHECK(read.linktype == 113);
  REQUIRE(read.packets.size() == trace.size());
  const std::uint64_t grain = resolution == 6 ? 1000 : resolution == 3 ? 1'000'000 : 2;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    CHECK(trace[i].time.ns - read.packets[i].time.ns < grain);
    CHECK(read.packets[i].wirelen == trace[i].wirelen);
    CHECK(std::ranges::equal(read.packets[i].bytes, trace[i].bytes));
  }
}

TEST_CASE("a simple packet has no time, and no more bytes than the first interface's snaplen") {
  const auto packet = block(pcapng_simple_packet, u32({10}) + Bytes(12, std::byte{7}));
  auto read = read_all(section + ethernet + packet);
  REQUIRE(read.packets.size() == 1);
  CHECK(read.packets[0].time == Timestamp{});
  CHECK(read.packets[0].caplen() == 10);
  read = read_all(section + block(pcapng_interface, u32({1, 4})) + packet);
  REQUIRE(read.packets.size() == 1);
  CHECK(read.packets[0].caplen() == 4);
  CHECK(read.packets[0].wirelen == 10);
}

TEST_CASE("blocks that hold no packet are passed over, however long they are") {
  const auto secrets = block(10, Bytes(400));
  CHECK(read_all(section + ethernet + secrets + packet_of(0, 4, 4)).packets.size() == 1);
  PcapngDecoder decoder;
  (void)decoder.next(section);
  const auto decoded = decoder.next(u32({10, 0x40000000, 0}));
  CHECK(decoded.kind == Decoded::Kind::other);
  CHECK(decoded.bytes == 0x40000000);
}

TEST_CASE("a new section has interfaces, and a byte order, of its own") {
  const auto first = pcapng_bytes(some_packets(3));
  const auto second = pcapng_bytes(some_packets(4), {.big_endian = true, .linktype = 113});
  const auto read = read_all(first + second);
  CHECK(read.packets.size() == 7);
  CHECK(read.linktype == 113);
  CHECK(damage(section + ethernet + section + packet_of(0, 4, 4)).find("not described") != std::string::npos);
}

TEST_CASE("damaged blocks are told by what cannot be about them") {
  auto unequal = section + ethernet + packet_of(0, 4, 4);
  unequal.back() ^= std::byte{1};
  CHECK(damage(unequal).find("two lengths of a block differ") != std::string::npos);
  CHECK(damage(ethernet).find("outside of any section") != std::string::npos);
  CHECK(damage(section + u32({1, 18, 0})).find("impossible length") != std::string::npos);
  CHECK(damage(section + u32({1, 8, 0})).find("impossible length") != std::string::npos);
  CHECK(damage(section + u32({6, 0x02000000, 0})).find("longer than any packet") != std::string::npos);
  CHECK(damage(section + ethernet + packet_of(1, 4, 4)).find("not described") != std::string::npos);
  CHECK(damage(section + ethernet + packet_of(0, 9, 8)).find("longer than its block") != std::string::npos);
  CHECK(damage(section + ethernet + packet_of(0, max_snaplen + 4, max_snaplen + 4)).find("longer than any") !=
        std::string::npos);
  CHECK(damage(section + block(pcapng_interface, u32({1}))).find("too short") != std::string::npos);
  CHECK(damage(section + ethernet + block(pcapng_enhanced_packet, u32({0, 0, 5}))).find("too short") !=
        std::string::npos);
  CHECK(damage(block(pcapng_section, u32({0x11223344, 1, ~0u, ~0u}))).find("no byte order") != std::string::npos);
  CHECK(damage(block(pcapng_section, u32({pcapng_byte_order, 2, ~0u, ~0u}))).find("version") != std::string::npos);
}

TEST_CASE("a file cut at any byte yields the packets that are whole, and asks for more") {
  const auto trace = some_packets(3);
  const auto file = pcapng_bytes(trace);
  std::size_t whole = 0;
  for (std::size_t length = 0; length <= file.size(); ++length) {
    const auto read = read_all(std::span(file).first(length));
    REQUIRE((read.end.kind == Decoded::Kind::more || read.end.bytes > read.left));
    REQUIRE(read.packets.size() >= whole);
    whole = read.packets.size();
  }
  CHECK(whole == 3);
}

TEST_CASE("options of an interface that end too early or make no sense leave it as it is usual") {
  const auto resolution = u32({0x00010009, 0x00000003});
  const auto cut = u32({0x00100009, 0x00000003});
  const auto absurd = u32({0x00010009, 0x000000ff});
  const auto time_with = [](const Bytes& options) {
    const auto read = read_all(section + block(pcapng_interface, u32({1, 0}) + options) + packet_of(0, 4, 4));
    REQUIRE(read.packets.size() == 1);
    return read.packets[0].time.ns;
  };
  CHECK(time_with(resolution) == 5'000'000);
  CHECK(time_with(cut) == 5000);
  CHECK(time_with(absurd) == 5000);
  CHECK(time_with({}) == 5000);
}

TEST_CASE("what is written as pcapng is read again") {
  const auto trace = some_packets();
  Bytes file = pcapng_section_header({.hardware = "a CPU", .os = "", .application = "a test"});
  file = file + pcapng_interface_block({.linktype = linktype_ethernet, .snaplen = max_snaplen});
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto packet = trace[i];
    Bytes record(PcapngRecords::bytes_of(packet.caplen()));
    PcapngRecords::Pen(record.data(), {}, 0).put({packet.time, packet.caplen(), packet.wirelen}, packet.bytes.data());
    file = file + record;
  }
  const auto read = read_all(file);
  REQUIRE(read.packets.size() == trace.size());
  for (std::size_t i = 0; i < trace.size(); ++i) {
    CHECK(read.packets[i].time == trace[i].time);
    CHECK(std::ranges::equal(read.packets[i].bytes, trace[i].bytes));
  }
}

TEST_CASE("a pcapng file with any bytes damaged yields packets that lie within it, or ends") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto good = pcapng_bytes(some_packets(50));
  for (int round = 0; round < 200; ++round) {
    auto file = good;
    for (auto flips = 1 + random.below(20); flips > 0; --flips)
      file[random.below(file.size())] ^= static_cast<std::byte>(1u << random.below(8));
    PcapngDecoder decoder;
    for (std::span<const std::byte> left = file; !left.empty();) {
      const auto decoded = decoder.next(left);
      if (decoded.kind == Decoded::Kind::more || decoded.kind == Decoded::Kind::damaged) break;
      if (decoded.bytes > left.size()) break;
      REQUIRE(decoded.bytes > 0);
      if (decoded.kind == Decoded::Kind::packet)
        REQUIRE(decoded.packet.bytes.data() + decoded.packet.bytes.size() <= left.data() + decoded.bytes);
      left = left.subspan(decoded.bytes);
    }
  }
}
