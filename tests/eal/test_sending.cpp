// SPDX-License-Identifier: BSD-3-Clause
// Frames out of one Port and into another, through net_ring, and into net_null.
#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>

#include <array>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "capture/counted.hpp"
#include "capture/rx_lcore.hpp"
#include "dpdk/clock.hpp"
#include "dpdk/port.hpp"
#include "dpdk/tx_queue.hpp"
#include "eal/bare_eal.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::dpdk;
using wirespool::test::start_bare_eal;

namespace {

constexpr unsigned ring_size = 256;  // holds one less

// Two ports: what the first sends on its queue n the second receives on its queue n.
struct Link {
  explicit Link(unsigned queues) {
    start_bare_eal();
    static unsigned made = 0;
    const auto name = "link" + std::to_string(made++);
    std::vector<rte_ring*> rings;
    for (unsigned queue = 0; queue < queues; ++queue)
      rings.push_back(rte_ring_create((name + "_" + std::to_string(queue)).c_str(), ring_size, SOCKET_ID_ANY,
                                      RING_F_SP_ENQ | RING_F_SC_DEQ));
    rte_ring* const back = rte_ring_create((name + "_back").c_str(), ring_size, SOCKET_ID_ANY, 0);
    sender = rte_eth_from_rings((name + "s").c_str(), const_cast<rte_ring**>(&back), 1, rings.data(), queues, 0);
    receiver = rte_eth_from_rings((name + "r").c_str(), rings.data(), queues, const_cast<rte_ring**>(&back), 1, 0);
  }
  int sender = -1, receiver = -1;
};

plan::PlannedPort planned(int id, unsigned rx_queues, unsigned tx_queues, bool sends) {
  plan::PlannedPort port;
  port.id = static_cast<unsigned>(id);
  port.name = "test" + std::to_string(id);
  port.rx_queues = rx_queues;
  port.tx_queues = tx_queues;
  port.sends = sends;
  port.rx_desc = ring_size;
  port.data_room = 2176;
  port.mbufs = 2047;
  port.promiscuous = false;
  return port;
}

Port started(const plan::PlannedPort& planned) {
  std::vector<std::string> notices;
  auto port = Port::configure(planned, 0, notices);
  REQUIRE(port);
  REQUIRE(port->start(notices));
  CHECK(notices.empty());
  return std::move(*port);
}

// Frames of 60 bytes and up, with their number in them.
std::vector<rte_mbuf*> frames_of(const Port& port, unsigned first, unsigned count) {
  std::vector<rte_mbuf*> frames;
  for (unsigned number = first; number < first + count; ++number) {
    rte_mbuf* const frame = rte_pktmbuf_alloc(port.pool());
    REQUIRE(frame != nullptr);
    auto* const bytes = rte_pktmbuf_append(frame, static_cast<std::uint16_t>(60 + number % 1000));
    std::memset(bytes, 0, frame->pkt_len);
    std::memcpy(bytes, &number, sizeof number);
    frames.push_back(frame);
  }
  return frames;
}

// Keeps what it is given, by RX queue.
class Collector final : public capture::Outlet {
 public:
  void deliver(const capture::Received& received) noexcept override {
    auto& numbers = numbers_of[received.queue];
    for (unsigned i = 0; i < received.burst.count; ++i) {
      unsigned number = 0;
      std::memcpy(&number, rte_pktmbuf_mtod(received.burst.mbufs[i], const char*), sizeof number);
      right_length += received.burst.mbufs[i]->pkt_len == 60 + number % 1000;
      numbers.push_back(number);
    }
    free_burst(received.burst);
  }

  std::map<const capture::RxQueueCounters*, std::vector<unsigned>> numbers_of;
  unsigned right_length = 0;
};

// All that the port's RxQueues hold, received by an RxLcore.
std::vector<std::vector<unsigned>> receive(const Port& port, unsigned queues) {
  Collector collector;
  std::vector<capture::RxQueueCounters> counters(queues);
  stats::RxCounters lcore_counters;
  capture::StopFlag stop;
  stop.stop();
  policy::SharedClock line;
  DisciplinedClock::of_tsc()->publish_to(line);
  capture::RxLcoreSetup setup{.queues = {},
                              .burst = 32,
                              .stamp_field = StampField::registered(),
                              .tsc_clock = &line,
                              .stop = &stop,
                              .counters = &lcore_counters};
  for (unsigned queue = 0; queue < queues; ++queue)
    setup.queues.push_back({.port = port.id(),
                            .queue = static_cast<std::uint16_t>(queue),
                            .descriptors = ring_size,
                            .counters = &counters[queue],
                            .outlet = &collector});
  capture::RxLcore(std::move(setup)).run();
  std::vector<std::vector<unsigned>> received;
  std::size_t all = 0;
  for (const auto& own : counters) {
    received.push_back(collector.numbers_of[&own]);
    all += received.back().size();
  }
  CHECK(collector.right_length == all);
  return received;
}

std::vector<unsigned> numbers(unsigned first, unsigned count) {
  std::vector<unsigned> all(count);
  std::iota(all.begin(), all.end(), first);
  return all;
}

}  // namespace

TEST_CASE("frames that are sent on two queues of a Port are received on two of another, whole and in order") {
  const Link link(2);
  const auto sender = started(planned(link.sender, 1, 2, true));
  const auto receiver = started(planned(link.receiver, 2, 1, false));
  std::array<TxCounters, 2> counters;
  std::array queues{TxQueue(sender, 0, counters[0]), TxQueue(sender, 1, counters[1])};
  for (unsigned burst = 0; burst < 10; ++burst) {
    auto frames = frames_of(sender, burst * 20, 20);
    REQUIRE(queues[burst % 2].send(frames) == 20);
  }
  const auto received = receive(receiver, 2);
  for (unsigned queue = 0; queue < 2; ++queue) {
    std::vector<unsigned> expected;
    std::uint64_t bytes = 0;
    for (unsigned burst = queue; burst < 10; burst += 2)
      for (const unsigned number : numbers(burst * 20, 20)) {
        expected.push_back(number);
        bytes += 60 + number % 1000;
      }
    CHECK(received[queue] == expected);
    CHECK(counters[queue].packets.get() == 100);
    CHECK(counters[queue].bytes.get() == bytes);
    CHECK(counters[queue].refused.get() == 0);
  }
  const auto sent = sender.sent();
  REQUIRE(sent);
  CHECK(sent->packets == 200);
}

TEST_CASE("what a full TX queue does not take stays the sender's, is counted, and can be sent again") {
  const Link link(1);
  const auto sender = started(planned(link.sender, 1, 1, true));
  const auto receiver = started(planned(link.receiver, 1, 1, false));
  TxCounters counters;
  TxQueue queue(sender, 0, counters);
  auto frames = frames_of(sender, 0, ring_size + 9);
  const unsigned taken = queue.send(frames);
  CHECK(taken == ring_size - 1);
  CHECK(counters.packets.get() == taken);
  CHECK(counters.refused.get() == 10);
  CHECK(receive(receiver, 1)[0] == numbers(0, taken));
  CHECK(queue.send(std::span(frames).subspan(taken)) == 10);
  CHECK(receive(receiver, 1)[0] == numbers(taken, 10));
  CHECK(counters.packets.get() == ring_size + 9);
  CHECK(rte_mempool_avail_count(sender.pool()) == 2047);
}

TEST_CASE("a device with fewer TX queues than were planned is no port to send from, and one to receive from") {
  std::vector<std::string> notices;
  const auto sending = Port::configure(planned(Link(1).sender, 1, 3, true), 0, notices);
  REQUIRE_FALSE(sending);
  CHECK_THAT(sending.error().message(), Catch::Contains("configuring it failed"));
  const auto receiving = Port::configure(planned(Link(1).sender, 1, 3, false), 0, notices);
  REQUIRE(receiving);
  CHECK(receiving->planned().tx_queues == 0);
}

TEST_CASE("net_null takes all there is to send") {
  start_bare_eal();
  REQUIRE(rte_vdev_init("net_null0", nullptr) == 0);
  std::uint16_t id = 0;
  REQUIRE(rte_eth_dev_get_port_by_name("net_null0", &id) == 0);
  const auto port = started(planned(id, 1, 1, true));
  TxCounters counters;
  TxQueue queue(port, 0, counters);
  for (unsigned round = 0; round < 8; ++round) {
    auto frames = frames_of(port, round * 256, 256);
    REQUIRE(queue.send(frames) == 256);
  }
  CHECK(port.sent()->packets == 8 * 256);
  CHECK(counters.packets.get() == 8 * 256);
}
