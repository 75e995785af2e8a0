// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "filter/compiled.hpp"
#include "support/catch.hpp"
#include "support/frame.hpp"
#include "wirespool/filter.hpp"

using namespace wirespool;
using Catch::Contains;

namespace {

constexpr std::uint32_t ethernet = 1, raw_ip = 101;

// From port 9 of 10.0.0.1 to `port` of 10.0.0.2, beginning with its IP header or an Ethernet header in front.
std::vector<std::byte> datagram(unsigned port, std::uint32_t linktype) {
  test::FrameBuilder frame;
  if (linktype == ethernet) frame.mac_addresses(1);
  if (linktype == ethernet) frame.u16(0x0800);
  frame.ipv4(28, 17, 0x0a000001, 0x0a000002);
  frame.udp(8, 9, port);
  return frame.bytes();
}

StoredPacket packet_of(const std::vector<std::byte>& bytes, std::uint32_t linktype) {
  return {{Timestamp{1}, static_cast<std::uint32_t>(bytes.size()), bytes}, linktype, 0, {}};
}

bool matches(Filter& filter, unsigned port, std::uint32_t linktype = ethernet) {
  const auto bytes = datagram(port, linktype);
  return filter.matches(packet_of(bytes, linktype));
}

}  // namespace

TEST_CASE("a filter says which packets match, of any link type that can be asked") {
  auto filter = Filter::compile("udp dst port 53");
  REQUIRE(filter);
  CHECK(filter->expression() == "udp dst port 53");
  CHECK(matches(*filter, 53));
  CHECK_FALSE(matches(*filter, 54));
  CHECK(matches(*filter, 53, raw_ip));
  CHECK_FALSE(matches(*filter, 54, raw_ip));
}

TEST_CASE("an empty expression matches all, as tcpdump has it, and leaves nothing out") {
  auto filter = Filter::compile("");
  REQUIRE(filter);
  CHECK(matches(*filter, 1));
  CHECK(filter->compiled().condition.kind == format::FlowCondition::Kind::anything);
}

TEST_CASE("a link type that cannot be asked is an error with libpcap's words when it is compiled for") {
  const auto refused = Filter::compile("ether host 02:00:00:00:00:01", std::array{ethernet, raw_ip});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().why, Catch::StartsWith("for packets of link type RAW: ") && Contains("ethernet"));
  CHECK(refused.error().what_to_do == "see pcap-filter(7)");
}

TEST_CASE("packets of a link type that cannot be asked do not match, and supports() says why") {
  auto filter = Filter::compile("ether host 02:00:00:00:00:01 or udp");
  REQUIRE(filter);
  CHECK(filter->supports(ethernet));
  CHECK(matches(*filter, 53));
  CHECK_FALSE(matches(*filter, 53, raw_ip));
  const auto supported = filter->supports(raw_ip);
  REQUIRE_FALSE(supported);
  CHECK_THAT(supported.error().why, Catch::StartsWith("for packets of link type RAW: "));
}

TEST_CASE("a filter that only one link type can have is compiled for that one") {
  CHECK_FALSE(Filter::compile("type mgt"));
  CHECK(Filter::compile("type mgt", std::array{std::uint32_t{105}}));
}

TEST_CASE("a copy of a filter goes on when the original is gone") {
  auto original = Filter::compile("udp dst port 53");
  REQUIRE(original);
  auto copy = *original;
  original = Filter::compile("udp dst port 54");
  CHECK(copy.expression() == "udp dst port 53");
  CHECK(matches(copy, 53));
  CHECK_FALSE(matches(*original, 53));
  auto moved = std::move(copy);
  CHECK(matches(moved, 53));
}

TEST_CASE("a flow goes one way with > and both with <>, whatever link header is in front") {
  for (const auto linktype : {ethernet, raw_ip}) {
    auto one = Filter::flow("10.0.0.1:9 > 10.0.0.2:53"), other = Filter::flow("10.0.0.2:53 > 10.0.0.1:9"),
         both = Filter::flow(" 10.0.0.2:53<>10.0.0.1:9 ");
    REQUIRE((one && other && both));
    CHECK(matches(*one, 53, linktype));
    CHECK_FALSE(matches(*one, 54, linktype));
    CHECK_FALSE(matches(*other, 53, linktype));
    CHECK(matches(*both, 53, linktype));
    CHECK(one->supports(linktype));
  }
  const auto wireless = Filter::flow("10.0.0.1:9 > 10.0.0.2:53")->supports(105);
  REQUIRE_FALSE(wireless);
  CHECK_THAT(wireless.error().why, Contains("IEEE802_11"));
}

TEST_CASE("a flow is found behind VLAN tags and IPv6 extension headers, and asks an index for both") {
  test::FrameBuilder frame;
  frame.mac_addresses(1);
  frame.u32(0x88a80005);
  frame.u32(0x81000006);
  frame.u16(0x86dd);
  frame.ipv6(8 + 8, 0, 1, 2);  // hop-by-hop options in front of UDP
  frame.u64(std::uint64_t{17} << 56 | 0x01040000'0000);
  frame.udp(8, 9, 53);
  const auto packet = packet_of(frame.bytes(), ethernet);
  auto flow = Filter::flow("[2001:db8::1]:9 > [2001:db8::2]:53");
  REQUIRE(flow);
  CHECK(flow->matches(packet));
  CHECK_FALSE(Filter::flow("[2001:db8::1]:9 > [2001:db8::3]:53")->matches(packet));
  CHECK(flow->compiled().condition.kind == format::FlowCondition::Kind::all);
}

TEST_CASE("filters joined match what both match, or either") {
  const auto udp = *Filter::compile("udp"), port = *Filter::compile("dst port 53");
  auto all = Filter::all(udp, port), any = Filter::any(*Filter::compile("tcp"), port);
  CHECK(all.expression() == "(udp) and (dst port 53)");
  CHECK(matches(all, 53));
  CHECK_FALSE(matches(all, 54));
  CHECK(matches(any, 53));
  CHECK_FALSE(matches(any, 54));
}
