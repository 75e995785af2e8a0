// SPDX-License-Identifier: BSD-3-Clause
#include <initializer_list>
#include <vector>

#include "flow/flow.hpp"
#include "support/byte_strings.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using flow::FlowPacket;

using test::Bytes;
using test::bytes;
using test::operator+;

namespace {

const auto macs = bytes({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});

// IPv4 from `from` to `to`, 40 bytes by its own account.
Bytes ipv4(int protocol, std::initializer_list<int> from, std::initializer_list<int> to, int fragment = 0) {
  return bytes({0x08, 0, 0x45, 0, 0, 40, 0, 0, fragment >> 8, fragment & 0xff, 64, protocol, 0, 0}) + bytes(from) +
         bytes(to);
}

Bytes tcp(int source, int destination, int flags) {
  return bytes({source >> 8,
                source & 0xff,
                destination >> 8,
                destination & 0xff,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0x50,
                flags,
                0,
                0,
                0,
                0,
                0,
                0});
}

FlowPacket read(const Bytes& frame) {
  FlowPacket packet;
  REQUIRE(flow::read_packet(frame, static_cast<std::uint32_t>(frame.size()), packet));
  return packet;
}

}  // namespace

TEST_CASE("both directions of a connection have one key and hash", "[flow]") {
  const auto there = read(macs + ipv4(6, {10, 0, 0, 1}, {10, 0, 0, 2}) + tcp(443, 51000, 2));
  const auto back = read(macs + ipv4(6, {10, 0, 0, 2}, {10, 0, 0, 1}) + tcp(51000, 443, 18));
  CHECK(there.key == back.key);
  CHECK(there.key.hash(7) == back.key.hash(7));
  CHECK(there.from_high != back.from_high);
  CHECK(there.tcp_flags == 2);
  CHECK(back.tcp_flags == 18);
  CHECK(there.ip_bytes == 40);
  CHECK(there.headers == 54);
}

TEST_CASE("a connection of a host with itself is told apart by its ports", "[flow]") {
  const auto there = read(macs + ipv4(6, {10, 0, 0, 1}, {10, 0, 0, 1}) + tcp(1, 2, 0));
  const auto back = read(macs + ipv4(6, {10, 0, 0, 1}, {10, 0, 0, 1}) + tcp(2, 1, 0));
  CHECK(there.key == back.key);
  CHECK(there.from_high != back.from_high);
}

TEST_CASE("flows of other VLANs, protocols and ports are others", "[flow]") {
  const auto base = macs + ipv4(6, {10, 0, 0, 1}, {10, 0, 0, 2}) + tcp(1, 2, 0);
  const auto tagged = macs + bytes({0x81, 0, 0, 5}) + ipv4(6, {10, 0, 0, 1}, {10, 0, 0, 2}) + tcp(1, 2, 0);
  const auto udp = macs + ipv4(17, {10, 0, 0, 1}, {10, 0, 0, 2}) + tcp(1, 2, 0);
  const auto ports = macs + ipv4(6, {10, 0, 0, 1}, {10, 0, 0, 2}) + tcp(1, 3, 0);
  for (const auto& other : {tagged, udp, ports}) {
    CHECK_FALSE(read(other).key == read(base).key);
    CHECK(read(other).key.hash(7) != read(base).key.hash(7));
  }
}

TEST_CASE("an echo and its answer are one flow, two messages that nothing answers are two", "[flow]") {
  const auto icmp = [](int type, int code, int from, int to) {
    return read(macs + ipv4(1, {10, 0, 0, from}, {10, 0, 0, to}) + bytes({type, code, 0, 0, 0, 0, 0, 0}));
  };
  CHECK(icmp(8, 0, 1, 2).key == icmp(0, 0, 2, 1).key);
  CHECK_FALSE(icmp(3, 3, 1, 2).key == icmp(3, 3, 2, 1).key);
}

TEST_CASE("a later fragment has no ports and is a flow of its own", "[flow]") {
  const auto first = read(macs + ipv4(17, {10, 0, 0, 1}, {10, 0, 0, 2}, 0x2000) + tcp(1, 2, 0));
  const auto later = read(macs + ipv4(17, {10, 0, 0, 1}, {10, 0, 0, 2}, 100) + tcp(1, 2, 0));
  CHECK(first.key.has_ports == 1);
  CHECK(later.key.has_ports == 0);
  CHECK_FALSE(first.key == later.key);
}

TEST_CASE("what is not IP is no packet of a flow, and its headers are known", "[flow]") {
  FlowPacket packet;
  const auto arp = macs + bytes({8, 6}) + Bytes(28);
  CHECK_FALSE(flow::read_packet(arp, 60, packet));
  CHECK(packet.headers == 14);
}

TEST_CASE("a record has the sender of its first packet first", "[flow]") {
  for (const int sender : {1, 2}) {
    const auto packet = read(macs + ipv4(6, {10, 0, 0, sender}, {10, 0, 0, 3 - sender}) + tcp(sender, 9, 0));
    flow::Flow flow;
    flow.key = packet.key;
    flow.from_high = packet.from_high;
    const auto record = flow::record_of(flow);
    CHECK(record.addresses[0][3] == static_cast<std::byte>(sender));
    CHECK(record.addresses[1][3] == static_cast<std::byte>(3 - sender));
    CHECK(record.ports == std::array<std::uint16_t, 2>{static_cast<std::uint16_t>(sender), 9});
  }
}
