// SPDX-License-Identifier: BSD-3-Clause
#include "policy/writer_shape.hpp"

#include "policy/patience.hpp"
#include "support/catch.hpp"

using namespace wirespool::policy;

namespace {

// 64 KiB of carry area and Blocks of 1 MiB.
WriterShape shape(std::uint32_t streams, std::uint32_t drives) {
  return {.streams = streams, .drives = drives, .snaplen = 262144, .carry_bytes = 65536};
}

}  // namespace

TEST_CASE("a writer has a lane for each Stream and for re-homed packets on each drive, and three files a lane") {
  CHECK(shape(4, 3).lanes() == 5 * 3);
  CHECK(shape(4, 3).files() == 3 * 5 * 3);
  CHECK(shape(4, 0).files() == 0);
}

TEST_CASE("without drives a Stream has one Block open, and nothing is kept for re-homing") {
  CHECK(shape(4, 0).open_lanes() == 4);
  CHECK(shape(4, 0).reserve() == 0);
  CHECK(shape(4, 0).fewest_blocks() == 4 + 2);
}

TEST_CASE("Appenders on one lcore share what a long record needs; on lcores of their own each has it") {
  auto shared = shape(4, 2);
  CHECK(shared.fewest_blocks() == 8 + 2 + 4);
  shared.streams_append = true;
  CHECK(shared.fewest_blocks() == 8 + 4 * 2 + 4);
}

TEST_CASE("a record takes as many small Blocks as it is long, but no more than can be carried") {
  auto small = shape(1, 1);
  small.block_bytes = 8192;
  CHECK(small.blocks_of_longest_record() == 1 + 8);
  small.snaplen = 100;
  CHECK(small.blocks_of_longest_record() == 1);
}

TEST_CASE("with the fewest Blocks each Stream is supplied with what its longest record takes") {
  for (const auto streams : {1u, 3u, 8u})
    for (const auto drives : {1u, 2u, 5u}) {
      auto given = shape(streams, drives);
      given.streams_append = true;
      given.block_bytes = 16384;
      CAPTURE(streams, drives);
      CHECK(given.supply(given.fewest_blocks()) == 1 + given.blocks_of_longest_record());
    }
}

TEST_CASE("a ring for Blocks holds each Block and as many tails, with one place to spare") {
  for (const auto blocks : {1u, 7u, 8u, 1000u}) CHECK(block_ring_size(blocks) - 1 >= 2 * blocks);
}

TEST_CASE("a drive that failed is tried each second, one that fails again and again less often, at last each 64 s") {
  CHECK(pause_before_return(0) == std::chrono::seconds(1));
  for (std::uint64_t n = 1; n <= 6; ++n) CHECK(pause_before_return(n) == 2 * pause_before_return(n - 1));
  CHECK(pause_before_return(6) == std::chrono::seconds(64));
  CHECK(pause_before_return(UINT64_MAX) == std::chrono::seconds(64));
}

TEST_CASE("patience ends when nothing has gone on for so long, and begins anew when something has") {
  Patience patience(100);
  CHECK_FALSE(patience.ends_at(1'000));
  CHECK_FALSE(patience.ends_at(1'099));
  CHECK(patience.ends_at(1'100));
  patience.went_on();
  CHECK_FALSE(patience.ends_at(2'000));
  CHECK(patience.ends_at(2'100));
}
