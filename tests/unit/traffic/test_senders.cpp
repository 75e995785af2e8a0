// SPDX-License-Identifier: BSD-3-Clause
#include <thread>

#include "memory_wire.hpp"
#include "support/catch.hpp"
#include "traffic/pacer.hpp"
#include "traffic/receiver.hpp"
#include "traffic/sender.hpp"

using namespace wirespool;
using namespace wirespool::test;
using namespace wirespool::traffic;

namespace {

// A sender on a wire in memory, and what reads that at the other end.
struct Rig {
  explicit Rig(SendPlan plan)
      : maker(ends, SizeMix::only(64), {.burst = plan.burst, .run = 5}), sender(wire, maker, sent, plan, 0) {}

  void run() { sender.run(stop); }
  void receive() {
    Receiver receiver(wire, FrameCheck(other_end(ends), true), received, {});
    (void)receiver.poll();
  }

  Ends ends = ends_between();
  MemoryWire wire;
  FrameMaker maker;
  SendCounters sent;
  ReceiveCounters received;
  Sender sender;
  StopFlag stop{false};
};

}  // namespace

TEST_CASE("packets are due at their burst's time, with no error that adds up") {
  const Pacer pacer(1000, 3, 1);
  CHECK(pacer.due_ns(0) == 1000);
  CHECK(pacer.due_ns(1) == 1000 + 333'333'333);
  CHECK(pacer.due_ns(3'000'000'000) == 1000 + 1'000'000'000'000'000'000);
  const Pacer bursts(0, 1000, 4);
  CHECK(bursts.due_ns(3) == 0);
  CHECK(bursts.due_ns(4) == 4'000'000);
}

TEST_CASE("a duration at a rate is so many packets, however the sender is held up") {
  Rig rig({.rate = 10'000, .burst = 4, .duration_ns = 20'000'000});
  bool slept = false;
  rig.wire.takes = [&] {
    if (!slept) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    slept = true;
    return std::size_t{64};
  };
  rig.run();
  CHECK(rig.sent.sent.get() == 200);
  CHECK(rig.sent.lateness.max() > 9'000'000);
}

TEST_CASE("a count ends within a burst") {
  Rig rig({.rate = {}, .burst = 8, .count = 21});
  rig.run();
  CHECK(rig.wire.sent.size() == 21);
  CHECK(rig.sent.tried.get() == 21);
}

TEST_CASE("packets that the wire does not take are dropped, and leave no gap in the numbers") {
  Rig rig({.rate = {}, .burst = 8, .count = 80});
  unsigned call = 0;
  rig.wire.takes = [&] { return call++ % 2 == 0 ? std::size_t{3} : std::size_t{8}; };
  rig.run();
  CHECK(rig.sent.tried.get() == 80);
  CHECK(rig.sent.dropped.get() == 5 * 5);
  CHECK(rig.sent.sent.get() == rig.wire.sent.size());
  rig.receive();
  CHECK(rig.received.received.get() == rig.wire.sent.size());
  CHECK(rig.received.expected.get() == rig.received.arrived.get());
}

TEST_CASE("a sender that waits drops nothing") {
  Rig rig({.rate = {}, .burst = 8, .wait = true, .count = 80});
  unsigned call = 0;
  rig.wire.takes = [&] { return std::size_t{call++ % 3}; };
  rig.run();
  CHECK(rig.wire.sent.size() == 80);
  CHECK(rig.sent.dropped.get() == 0);
  rig.receive();
  CHECK(rig.received.arrived.get() == 80);
}

TEST_CASE("what is sent to warm up is counted apart, by both ends") {
  Rig rig({.rate = 10'000, .burst = 1, .warmup_ns = 5'000'000, .count = 30});
  rig.run();
  CHECK(rig.sent.warm_up.get() == 50);
  CHECK(rig.sent.sent.get() == 30);
  rig.receive();
  CHECK(rig.received.warm_up.get() == 50);
  CHECK(rig.received.received.get() == 30);
  CHECK(rig.received.expected.get() == 30);
}

TEST_CASE("a wire that broke ends a sender") {
  Rig rig({.rate = 1000, .burst = 1});
  rig.wire.broken = Error{"memory", "it broke", ""};
  rig.run();
  CHECK(rig.wire.sent.empty());
}

TEST_CASE("a server gives back what it got, to where it came from") {
  Rig rig({.rate = {}, .burst = 4, .count = 12});
  rig.run();
  SendCounters echoed;
  ReceiveCounters received;
  Receiver receiver(rig.wire, FrameCheck(other_end(rig.ends), true), received, {});
  StopFlag stop{false};
  rig.wire.takes = [&] { return stop = true, std::size_t{64}; };
  Echo(rig.wire, receiver, echoed, true, false, 0).run(stop);
  CHECK(echoed.sent.get() == 12);
  REQUIRE(rig.wire.sent.size() == 24);
  for (std::size_t i = 12; i < 24; ++i) {
    auto& frame = rig.wire.sent[i];
    const Slot slot{.data = frame.data(), .bytes = static_cast<std::uint32_t>(frame.size())};
    CHECK_FALSE(FrameCheck(rig.ends, true).payload_of(slot).empty());
  }
}

TEST_CASE("a forwarder gives on what fits, in order, and counts the rest") {
  MemoryWire from, to;
  for (const std::size_t bytes : {64, 3000, 65, 66}) from.sent.emplace_back(bytes, static_cast<std::byte>(bytes));
  ReceiveCounters received;
  SendCounters sent;
  StopFlag stop{false};
  to.takes = [&] { return stop = true, std::size_t{64}; };
  Forwarder(from, to, received, sent, false).run(stop);
  CHECK(received.received.get() == 4);
  CHECK(sent.sent.get() == 3);
  CHECK(sent.unsendable.get() == 1);
  REQUIRE(to.sent.size() == 3);
  CHECK(to.sent[0].size() == 64);
  CHECK(to.sent[1].size() == 65);
  CHECK(to.sent[2].size() == 66);
}
