// SPDX-License-Identifier: BSD-3-Clause
#include "format/flow_key.hpp"

#include <algorithm>
#include <initializer_list>
#include <random>
#include <set>
#include <vector>

#include "format/address_text.hpp"
#include "support/byte_strings.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

using test::bytes;
using test::operator+;

namespace {

const auto macs = bytes({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});

std::vector<std::byte> udp_over_ipv4(int options = 0, int fragment = 0) {
  auto frame = bytes(
      {0x08, 0x00, 0x45 + options, 0, 0, 40, 0, 0, fragment >> 8, fragment & 0xff, 64, 17, 0, 0, 10, 1, 2, 3, 192, 168,
       7,    9});
  frame.resize(frame.size() + static_cast<std::size_t>(4 * options));
  return frame + bytes({0x12, 0x34, 0x00, 0x35, 0, 8, 0, 0});
}

bool has(const std::vector<std::byte>& frame, FlowKey key) {
  bool found = false;
  for_each_flow_key(frame, flow_fields(frame), [&](FlowKey other) { found = found || other == key; });
  return found;
}

std::uint32_t v4(std::string_view text) { return parse_ipv4(text)->address; }

}  // namespace

TEST_CASE("a UDP packet has its addresses, their prefixes, its ports and its protocol") {
  const auto frame = macs + udp_over_ipv4();
  for (const auto address : {"10.1.2.3", "192.168.7.9"}) {
    for (const auto bits : ipv4_prefixes) CHECK(has(frame, ipv4_key(v4(address), bits)));
  }
  CHECK(has(frame, ipv4_key(v4("10.1.2.250"), 24)));
  CHECK_FALSE(has(frame, ipv4_key(v4("10.1.2.250"), 32)));
  CHECK(has(frame, port_key(0x1234)));
  CHECK(has(frame, port_key(53)));
  CHECK(has(frame, protocol_key(17)));
  CHECK(has(frame, ether_type_key(0x0800)));
  CHECK_FALSE(has(frame, tagged_key()));
}

TEST_CASE("ports are found behind IPv4 options, and only in the first fragment") {
  CHECK(has(macs + udp_over_ipv4(5), port_key(53)));
  CHECK(has(macs + udp_over_ipv4(0, 0x2000), port_key(53)));
  CHECK_FALSE(has(macs + udp_over_ipv4(0, 0x2001), port_key(53)));
}

TEST_CASE("keys are found behind any number of VLAN tags, and the tags are keys") {
  auto tags = bytes({});
  for (int tag = 1; tag <= 20; ++tag) {
    tags = tags + bytes({tag % 2 == 0 ? 0x88 : 0x81, tag % 2 == 0 ? 0xa8 : 0x00, 0xe0, tag});
    const auto frame = macs + tags + udp_over_ipv4();
    CHECK(has(frame, port_key(53)));
    CHECK(has(frame, tagged_key()));
    for (int id = 1; id <= tag; ++id) CHECK(has(frame, vlan_key(static_cast<std::uint16_t>(id))));
  }
}

TEST_CASE("ARP has the protocol addresses of both ends") {
  const auto frame =
      macs + bytes({0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2});
  CHECK(has(frame, ipv4_key(v4("10.0.0.1"), 32)));
  CHECK(has(frame, ipv4_key(v4("10.0.0.2"), 32)));
}

TEST_CASE("IPv6 has its addresses, ports, and the protocol of a fragment") {
  auto header = bytes({0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 6, 64});
  for (int i = 0; i < 32; ++i) header.push_back(static_cast<std::byte>(i));
  const auto tcp = macs + header + bytes({0, 80, 1, 187});
  const auto source = *parse_ipv6("1:203:405:607:809:a0b:c0d:e0f");
  for (const auto bits : ipv6_prefixes) CHECK(has(tcp, ipv6_key(source, bits)));
  CHECK(has(tcp, port_key(443)));
  header[8] = std::byte{44};
  const auto fragment = macs + header + bytes({17, 0, 0, 1});
  CHECK(has(fragment, protocol_key(44)));
  CHECK(has(fragment, protocol_key(17)));
  CHECK_FALSE(has(fragment, port_key(1)));
}

TEST_CASE("a frame cut anywhere gives the keys that are whole in it, and none of what lies behind") {
  const auto frame = macs + udp_over_ipv4();
  for (std::size_t length = 0; length <= frame.size(); ++length) {
    // Its own memory, so that a sanitizer sees a read past its end.
    const std::vector<std::byte> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(has(cut, ipv4_key(v4("10.1.2.3"), 32)) == (length >= 14 + 16));
    CHECK(has(cut, ipv4_key(v4("192.168.7.9"), 32)) == (length >= 14 + 20));
    CHECK(has(cut, port_key(0x1234)) == (length >= 14 + 22));
    CHECK(has(cut, port_key(53)) == (length >= 14 + 24));
  }
}

TEST_CASE("random frames are read within their bounds") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::byte> frame(random() % 100);
    for (auto& byte : frame) byte = static_cast<std::byte>(random());
    if (frame.size() > 14)
      frame[12] = static_cast<std::byte>(random() % 2 == 0 ? 0x81 : 0x08), frame[13] = std::byte{0};
    std::set<std::uint64_t> keys;
    for_each_flow_key(frame, flow_fields(frame), [&](FlowKey key) { keys.insert(key.hash); });
    REQUIRE(keys.size() < 200);
  }
}

TEST_CASE("addresses are read from text, and nothing else is") {
  CHECK(parse_ipv4("192.168")->bits == 16);
  CHECK(parse_ipv4("192.168")->address == 0xc0a80000);
  for (const auto text : {"", ".", "1.", "256", "1.2.3.4.5", "01.2.3.4", "1.2.3.x", "-1", " 1"})
    CHECK_FALSE(parse_ipv4(text));
  CHECK(parse_ipv6("::")->low == 0);
  CHECK_FALSE(parse_ipv6("1.2.3.4::1"));
  CHECK_FALSE(parse_ipv6("1:2.3.4.5::"));
  CHECK(parse_ipv6("2001:db8::1")->high == 0x20010db800000000);
  CHECK(parse_ipv6("::ffff:1.2.3.4")->low == 0xffff01020304);
  CHECK(parse_ipv6("1:2:3:4:5:6:7:8")->low == 0x0005000600070008);
  for (const auto text : {"", ":", ":::", "1:2", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8",
                          "g::", "1:2:3:4:5:6:7:", "::1%2"}) {
    INFO(text);
    CHECK_FALSE(parse_ipv6(text));
  }
  CHECK(parse_number("0x50") == 80u);
  CHECK(parse_number("010") == 8u);
  CHECK_FALSE(parse_number("09"));
  CHECK_FALSE(parse_number("http"));
}
