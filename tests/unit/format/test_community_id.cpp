// SPDX-License-Identifier: BSD-3-Clause
#include "format/community_id.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/frame.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

std::string hex_of(std::string_view message) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : sha1(std::as_bytes(std::span(message)))) {
    text += digits[static_cast<unsigned>(byte) >> 4];
    text += digits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

FlowEnds v4(std::uint8_t protocol, std::uint32_t from, std::uint16_t from_port, std::uint32_t to,
            std::uint16_t to_port) {
  return {{Ipv6Address{0, from}, Ipv6Address{0, to}}, {from_port, to_port}, protocol, false, true};
}

FlowEnds back(const FlowEnds& ends) {
  auto other = ends;
  std::swap(other.addresses[0], other.addresses[1]);
  std::swap(other.ports[0], other.ports[1]);
  return other;
}

}  // namespace

TEST_CASE("SHA-1 gives the digests of FIPS 180's examples, whatever the last block holds") {
  CHECK(hex_of("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex_of("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(hex_of(std::string(1'000'000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  CHECK(hex_of(std::string(55, 'a')) == "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  CHECK(hex_of(std::string(64, 'a')) == "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

TEST_CASE("flows have the Community IDs of the specification's examples, both directions the same") {
  const auto tcp = v4(6, 0x80e86e78, 34855, 0x4223facc, 80);
  CHECK(community_id(tcp)->text() == "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  CHECK(community_id(back(tcp)) == community_id(tcp));
  const auto udp = v4(17, 0xc0a80134, 54585, 0x08080808, 53);
  CHECK(community_id(udp)->text() == "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
  CHECK(community_id(back(udp)) == community_id(udp));
  const auto echo = v4(1, 0xc0a80059, 8, 0xc0a80001, 0);
  CHECK(community_id(echo)->text() == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  CHECK(community_id(v4(1, 0xc0a80001, 0, 0xc0a80059, 0)) == community_id(echo));
  const auto sctp = v4(132, 0xc0a8aa08, 7, 0xc0a8aa38, 80);
  CHECK(community_id(sctp)->text() == "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=");
}

TEST_CASE("a message of ICMP that has no answer is another flow in the other direction") {
  const auto unreachable = v4(1, 0x0a000001, 3, 0x0a000002, 1);
  CHECK(community_id(unreachable) != community_id(v4(1, 0x0a000002, 3, 0x0a000001, 1)));
}

TEST_CASE("a later fragment of a flow with ports has no Community ID, one of another protocol has") {
  auto fragment = v4(17, 0x0a000001, 0, 0x0a000002, 0);
  fragment.has_ports = false;
  CHECK_FALSE(community_id(fragment));
  fragment.protocol = 89;
  CHECK(community_id(fragment));
}

TEST_CASE("a Community ID's text is read back, and nothing else is taken for one") {
  const std::string text = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
  REQUIRE(CommunityId::parse(text));
  CHECK(CommunityId::parse(text)->text() == text);
  for (const auto* wrong :
       {"", "1:", "2:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:LQU9qZlK+B5F3KDmev6m5PMibrg",
        "LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:LQU9qZlK-B5F3KDmev6m5PMibrg=", "1:LQU9qZlK+B5F3KDmev6m5PMibrh="})
    CHECK_FALSE(CommunityId::parse(wrong));
}
