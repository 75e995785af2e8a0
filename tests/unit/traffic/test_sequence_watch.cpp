// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <memory>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "traffic/sequence_watch.hpp"

using namespace wirespool::traffic;

namespace {

struct Watched {
  ReceiveCounters counters;
  SequenceWatch watch{4, counters};

  void saw(std::initializer_list<std::uint64_t> numbers, std::uint16_t flow = 0, std::uint16_t run = 1) {
    for (const auto number : numbers) CHECK(watch.saw({.number = number, .run = run, .flow = flow}));
  }
  std::uint64_t lost() const { return counters.expected.get() - counters.arrived.get(); }
  std::uint64_t duplicates() const { return counters.duplicates.get(); }
  std::uint64_t reordered() const { return counters.reordered.get(); }
};

}  // namespace

TEST_CASE("what comes in order and whole has nothing to tell") {
  Watched all;
  all.saw({0, 1, 2, 3});
  CHECK(all.lost() + all.duplicates() + all.reordered() == 0);
}

TEST_CASE("what is missing is lost, at the beginning too") {
  Watched all;
  all.saw({2, 3, 7});
  CHECK(all.lost() == 2 + 3);
}

TEST_CASE("what comes late is reordered and not lost") {
  Watched all;
  all.saw({0, 2, 3, 1});
  CHECK(all.lost() == 0);
  CHECK(all.reordered() == 1);
}

TEST_CASE("what comes twice is a duplicate, whether it was late or not") {
  Watched all;
  all.saw({0, 2, 2, 1, 1, 0});
  CHECK(all.duplicates() == 3);
  CHECK(all.reordered() == 1);
  CHECK(all.lost() == 0);
}

TEST_CASE("numbers that went out of the window are forgotten and not mistaken") {
  Watched all;
  all.saw({0, SequenceWatch::window + 1, SequenceWatch::window});
  CHECK(all.duplicates() == 0);
  CHECK(all.reordered() == 1);
  CHECK(all.lost() == SequenceWatch::window - 1);
}

TEST_CASE("each flow has numbers of its own") {
  Watched all;
  all.saw({0, 1}, 0);
  all.saw({0, 1}, 3);
  CHECK(all.duplicates() == 0);
  CHECK(all.lost() == 0);
}

TEST_CASE("a flow that is none of these is not taken") {
  Watched all;
  CHECK_FALSE(all.watch.saw({.number = 0, .run = 1, .flow = 4}));
  CHECK(all.counters.expected.get() == 0);
}

TEST_CASE("a sender that begins anew sends no duplicates") {
  Watched all;
  all.saw({0, 1, 3}, 0, 1);
  all.saw({0, 1, 2}, 0, 2);
  CHECK(all.duplicates() == 0);
  CHECK(all.lost() == 1);
}

TEST_CASE("random losses, duplicates and exchanges are counted as they were made") {
  wirespool::test::Random random(7);
  for (unsigned round = 0; round < 50; ++round) {
    Watched all;
    std::uint64_t lost = 0, duplicates = 0, reordered = 0, number = 0;
    while (number < 20'000) {
      const auto what = random.below(20);
      if (what == 0) {
        ++lost, ++number;
      } else if (what == 1) {
        all.saw({number, number});
        ++duplicates, ++number;
      } else if (what == 2) {
        all.saw({number + 1, number});
        ++reordered, number += 2;
      } else {
        all.saw({number++});
      }
    }
    all.saw({number});
    CHECK(all.lost() == lost);
    CHECK(all.duplicates() == duplicates);
    CHECK(all.reordered() == reordered);
  }
}
