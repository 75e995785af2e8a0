// SPDX-License-Identifier: BSD-3-Clause
#include "format/layers.hpp"

#include <initializer_list>
#include <random>
#include <vector>

#include "support/byte_strings.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

using test::Bytes;
using test::bytes;
using test::operator+;

namespace {

const auto macs = bytes({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});
const auto ipv4_type = bytes({8, 0}), ipv6_type = bytes({0x86, 0xdd});

Bytes ipv4(int protocol, int total, int words = 5, int fragment = 0) {
  auto header = bytes({0x40 + words, 0, total >> 8, total & 0xff, 0, 0, fragment >> 8, fragment & 0xff, 64, protocol});
  header.resize(static_cast<std::size_t>(words) * 4);
  return header;
}

Bytes ipv6(int next, int payload) {
  auto header = bytes({0x60, 0, 0, 0, payload >> 8, payload & 0xff, next});
  header.resize(40);
  return header;
}

Bytes tcp(int words) {
  auto header = bytes({0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, words << 4});
  header.resize(static_cast<std::size_t>(words) * 4);
  return header;
}

Layers of(const Bytes& frame) { return find_layers(frame, static_cast<std::uint32_t>(frame.size())); }

}  // namespace

TEST_CASE("TCP with options over IPv4 with options ends behind both", "[layers]") {
  const auto layers = of(macs + ipv4_type + ipv4(6, 100, 7) + tcp(8) + Bytes(40));
  CHECK(layers.network == 14);
  CHECK(layers.version == 4);
  CHECK(layers.protocol == 6);
  CHECK(layers.transport == 14 + 28);
  CHECK(layers.end == 14 + 28 + 32);
  CHECK(layers.ip_bytes == 100);
}

TEST_CASE("the ids of the two outermost tags are found, and what is behind all of them", "[layers]") {
  const auto tag = bytes({0x81, 0, 0x60, 9});
  const auto frame = macs + bytes({0x88, 0xa8, 0, 7}) + tag + tag + ipv4_type + ipv4(17, 28) + Bytes(8);
  const auto layers = of(frame);
  CHECK(layers.vlan == std::array<std::uint16_t, 2>{7, 9});
  CHECK(layers.network == 26);
  CHECK(layers.end == frame.size());
}

TEST_CASE("IP is found behind MPLS labels and in a PPPoE session", "[layers]") {
  const auto labels = bytes({0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64});
  CHECK(of(macs + labels + ipv6(17, 8) + Bytes(8)).version == 6);
  const auto pppoe = bytes({0x88, 0x64, 0x11, 0, 0, 1, 0, 30, 0, 0x21});
  CHECK(of(macs + pppoe + ipv4(17, 28) + Bytes(8)).network == 22);
  CHECK_FALSE(of(macs + bytes({0x88, 0x64, 0x11, 0, 0, 1, 0, 30, 0xc0, 0x21}) + Bytes(28)).is_ip());
}

TEST_CASE("extension headers of IPv6 are followed to what they carry", "[layers]") {
  // Hop-by-hop of 16 bytes, authentication of 24, first fragment.
  auto hops = bytes({51, 1});
  hops.resize(16);
  auto authentication = bytes({44, 4});
  authentication.resize(24);
  const auto fragment = bytes({6, 0, 0, 1, 0, 0, 0, 0});
  const auto layers = of(macs + ipv6_type + ipv6(0, 68) + hops + authentication + fragment + tcp(5));
  CHECK(layers.protocol == 6);
  CHECK(layers.transport == 14 + 40 + 48);
  CHECK(layers.end == 14 + 40 + 48 + 20);
  CHECK(layers.ip_bytes == 108);
}

TEST_CASE("a later fragment has no transport header, and its protocol is known", "[layers]") {
  const auto four = of(macs + ipv4_type + ipv4(17, 28, 5, 3) + Bytes(8));
  CHECK(four.transport == 0);
  CHECK(four.protocol == 17);
  CHECK(four.end == 34);
  const auto six = of(macs + ipv6_type + ipv6(44, 16) + bytes({17, 0, 0, 8, 0, 0, 0, 0}) + Bytes(8));
  CHECK(six.transport == 0);
  CHECK(six.protocol == 17);
  CHECK(six.end == 62);
}

TEST_CASE("an IP packet that does not say its length has what the frame has", "[layers]") {
  CHECK(find_layers(macs + ipv4_type + ipv4(6, 0) + tcp(5), 9014).ip_bytes == 9000);
  CHECK(find_layers(macs + ipv6_type + ipv6(6, 0) + tcp(5), 9014).ip_bytes == 9000);
}

TEST_CASE("other protocols end where IP ends", "[layers]") {
  const auto layers = of(macs + ipv4_type + ipv4(89, 40) + Bytes(20));
  CHECK(layers.transport == 0);
  CHECK(layers.end == 34);
  CHECK(of(macs + bytes({8, 6}) + Bytes(28)).end == 14);
}

TEST_CASE("wherever a frame is cut, nothing behind its end is read or reached", "[layers]") {
  const auto whole =
      macs + bytes({0x81, 0, 0, 5}) + ipv6_type + ipv6(44, 52) + bytes({6, 0, 0, 0, 0, 0, 0, 0}) + tcp(8);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));  // its end is the memory's
    const auto layers = find_layers(cut, static_cast<std::uint32_t>(whole.size()));
    INFO(length << " bytes");
    CHECK(layers.end <= length);
    CHECK(layers.transport <= length);
    CHECK((layers.transport != 0) == (length == whole.size()));
  }
}

TEST_CASE("bytes of any kind are borne", "[layers]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  const std::vector<Bytes> types{ipv4_type, ipv6_type, bytes({0x81, 0}), bytes({0x88, 0x47}), bytes({0x88, 0x64})};
  for (int i = 0; i < 100'000; ++i) {
    auto frame = macs + types[random() % types.size()];
    const auto rest = random() % 120;
    for (std::size_t j = 0; j < rest; ++j) frame.push_back(static_cast<std::byte>(random()));
    if (rest && random() % 2) frame[14] = static_cast<std::byte>(random() % 2 ? 0x45 : 0x60);
    const auto layers = of(frame);
    REQUIRE(layers.end <= frame.size());
    REQUIRE(layers.transport <= frame.size());
  }
}
