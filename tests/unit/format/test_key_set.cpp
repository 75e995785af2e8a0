// SPDX-License-Identifier: BSD-3-Clause
#include "format/key_set.hpp"

#include <random>

#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

// An IPv4 frame between two addresses, no ports.
std::vector<std::byte> frame_of(std::uint32_t from, std::uint32_t to) {
  std::vector<std::byte> frame(34);
  frame[12] = std::byte{0x08};
  frame[14] = std::byte{0x45};
  for (std::size_t i = 0; i < 4; ++i) {
    frame[26 + i] = static_cast<std::byte>(from >> (24 - 8 * i));
    frame[30 + i] = static_cast<std::byte>(to >> (24 - 8 * i));
  }
  return frame;
}

struct Taken {
  std::vector<std::byte> bytes;
  std::uint32_t lines = 0;
  KeySet filter() const { return KeySet(bytes); }
};

Taken take(KeyCollector& collector) {
  Taken taken;
  taken.lines = collector.take(taken.bytes);
  return taken;
}

}  // namespace

TEST_CASE("a filter never denies a key that is in it, and seldom claims one that is not") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  for (const std::uint32_t hosts : {1u, 10u, 100u, 1000u, 2000u}) {
    std::mt19937 random{seed + hosts};
    KeyCollector collector;
    std::vector<std::uint32_t> addresses(hosts);
    for (auto& address : addresses) {
      address = static_cast<std::uint32_t>(random());
      collector.add(frame_of(address, 0x0a000001));
    }
    const auto taken = take(collector);
    INFO(hosts << " hosts in " << taken.lines << " lines");
    REQUIRE(taken.lines > 0);
    for (const auto address : addresses) REQUIRE(taken.filter().may_contain(ipv4_key(address, 32)));
    int wrong = 0;
    for (int i = 0; i < 20'000; ++i)
      wrong += taken.filter().may_contain(ipv4_key(static_cast<std::uint32_t>(random()), 32)) ? 1 : 0;
    // At worst one in 256 on average over the lines; they are not all equally full.
    CHECK(wrong < 20'000 / 80);
    CHECK(taken.bytes.size() <= 32 + hosts * 32);
  }
}

TEST_CASE("an empty Block's filter denies everything") {
  KeyCollector collector;
  const auto taken = take(collector);
  CHECK(taken.lines == 1);
  CHECK_FALSE(taken.filter().may_contain(ipv4_key(1, 32)));
}

TEST_CASE("a Block of too many flows gets no filter, and so may hold anything") {
  std::mt19937 random{1};
  KeyCollector collector;
  for (int i = 0; i < 100'000; ++i)
    collector.add(frame_of(static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random())));
  const auto taken = take(collector);
  CHECK(taken.lines == 0);
  CHECK(taken.filter().may_contain(ipv4_key(1, 32)));
}

TEST_CASE("the collector forgets one Block before the next") {
  KeyCollector collector;
  collector.add(frame_of(1, 2));
  take(collector);
  collector.add(frame_of(3, 4));
  const auto second = take(collector);
  CHECK_FALSE(second.filter().may_contain(ipv4_key(1, 32)));
  CHECK(second.filter().may_contain(ipv4_key(3, 32)));
  collector.add(frame_of(3, 4));
  CHECK(take(collector).filter().may_contain(ipv4_key(3, 32)));
}
