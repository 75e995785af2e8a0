// SPDX-License-Identifier: BSD-3-Clause
#include "format/key_set.hpp"

#include <algorithm>
#include <bit>
#include <random>
#include <set>

#include "support/catch.hpp"
#include "support/trace.hpp"

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

// The filter of these keys by the words of README.md, without any short cut: the largest one, halved while at most half
// of its bits are set then; none if more than four fifths are.
class Reference {
 public:
  void add(std::span<const std::byte> frame) {
    const auto fields = flow_fields(frame);
    if (fields.ether_type == 0 && fields.tags == 0) return;
    for_each_flow_key(frame, fields, [this](FlowKey key) { keys_.insert(key.hash); });
  }

  std::vector<std::byte> take() const {
    auto lines = of_lines(KeyCollector::most_lines);
    if (fullness(lines) > 0.8) return {};
    while (lines.size() > 1) {
      auto smaller = of_lines(lines.size() / 2);
      if (fullness(smaller) > 0.5) break;
      lines = std::move(smaller);
    }
    const auto bytes = std::as_bytes(std::span(lines));
    return {bytes.begin(), bytes.end()};
  }

 private:
  std::vector<FilterLine> of_lines(std::size_t count) const {
    std::vector<FilterLine> lines(count);
    for (const auto hash : keys_)
      for (unsigned word = 0; word < 8; ++word)
        lines[(hash >> 40) % count][word] |= std::uint32_t{1} << (hash >> (5 * word)) % 32;
    return lines;
  }
  static double fullness(const std::vector<FilterLine>& lines) {
    std::size_t set = 0;
    for (const auto& line : lines)
      for (const auto word : line) set += static_cast<std::size_t>(std::popcount(word));
    return static_cast<double>(set) / static_cast<double>(lines.size() * 256);
  }

  std::set<std::uint64_t> keys_;
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

TEST_CASE("a Block's filter has exactly the keys of all its frames, whatever was known of their flows before") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  KeyCollector collector;
  for (const auto* const kind : {"60", "caida", "imix", "mixed", "vlan", "ipv6"})
    for (const unsigned flows : {1u, 50u, 5'000u}) {
      const auto trace = test::make_trace({.kind = kind, .packets = 3'000, .seed = random(), .flows = flows});
      for (const bool damaged : {false, true}) {
        INFO(kind << ", " << flows << " flows" << (damaged ? ", damaged" : ""));
        Reference reference;
        for (std::size_t i = 0; i < trace.size(); ++i) {
          std::vector<std::byte> frame(trace[i].bytes.begin(), trace[i].bytes.end());
          if (damaged) {  // in the headers: another protocol, a fragment, options, a frame that ends there
            frame[std::min(frame.size() - 1, 12 + random() % 26)] = static_cast<std::byte>(random());
            if (random() % 4 == 0) frame.resize(random() % 48);
          }
          collector.add(frame);
          reference.add(frame);
        }
        CHECK(take(collector).bytes == reference.take());
      }
    }
}

TEST_CASE("a flow of zeros is in the filter too") {
  KeyCollector collector;
  Reference reference;
  auto frame = frame_of(0, 0);
  frame.resize(60);
  collector.add(frame);
  reference.add(frame);
  CHECK(take(collector).bytes == reference.take());
}
