// SPDX-License-Identifier: BSD-3-Clause
#include <thread>

#include "support/catch.hpp"
#include "unit/flow/table_bed.hpp"

using namespace wirespool;
using namespace wirespool::test;

TEST_CASE("a ring takes as many as it has room for, and no more", "[flow]") {
  const Memory memory(flow::FlowRing::bytes_needed(3));  // rounded up to 4
  flow::FlowRing ring(memory.bytes(), 3);
  for (int i = 0; i < 4; ++i) CHECK(ring.push({}));
  CHECK_FALSE(ring.push({}));
  CHECK(ring.take(1, [](const auto&) {}) == 1);
  CHECK(ring.push({}));
  CHECK_FALSE(ring.push({}));
}

TEST_CASE("what one thread pushes another takes, all of it and in order", "[flow]") {
  constexpr std::uint64_t count = 200'000;
  const Memory memory(flow::FlowRing::bytes_needed(64));
  flow::FlowRing ring(memory.bytes(), 64);
  std::thread pusher([&ring] {
    for (std::uint64_t i = 0; i < count;) {
      flow::Flow flow;
      flow.first_ns = flow.frame_bytes = i;
      if (ring.push(flow))
        ++i;
      else
        std::this_thread::yield();
    }
  });
  std::uint64_t next = 0, wrong = 0;
  while (next < count) {
    const auto taken = ring.take(16, [&](const flow::Flow& flow) {
      wrong += flow.first_ns != next || flow.frame_bytes != next;
      ++next;
    });
    if (taken == 0) std::this_thread::yield();
  }
  pusher.join();
  CHECK(wrong == 0);
}
