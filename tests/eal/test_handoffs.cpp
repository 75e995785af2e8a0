// SPDX-License-Identifier: BSD-3-Clause
// What lies between two lcores, with real rings and nobody at the other end: it must stay within its bounds, and what
// vanishes from it must be missed.
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring_elem.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capture/block_handoff.hpp"
#include "capture/handoff.hpp"
#include "eal/bare_eal.hpp"
#include "record/recorder_options.hpp"
#include "support/aligned_buffer.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::capture;
using wirespool::test::AlignedBuffer;
using wirespool::test::start_bare_eal;

namespace {

constexpr std::uint32_t block_bytes = 4096;
constexpr unsigned blocks = 8;
constexpr std::uint64_t second = 1'000'000'000;

// A Handoff of Blocks with an Appender at its near end and all Blocks to give it; the far end is the test's.
struct BlockLine {
  explicit BlockLine(const std::string& name, std::uint32_t drives = 1)
      : memory(record::BlockPool::bytes_needed(blocks, block_bytes), 4096), pool(memory.span(), block_bytes) {
    start_bare_eal();
    handoff = std::move(*BlockHandoff::create(name, blocks, SOCKET_ID_ANY));
    while (auto* block = pool.get()) REQUIRE(handoff->give_empty(*block));
    for (std::uint32_t i = 0; i < drives; ++i) ok.push_back(std::make_unique<record::Drive>("drive", 512));
    std::vector<const record::Drive*> seen;
    for (const auto& drive : ok) seen.push_back(drive.get());
    port = std::make_unique<BlockHandoffDock>(*handoff, seen, counters);
    appender = std::make_unique<record::Appender>(record::AppenderOptions{.drives = drives,
                                                                          .layout = &record::plain_pcap,
                                                                          .block_bytes = block_bytes,
                                                                          .flush_age_ns = 1,
                                                                          .rotation = {}},
                                                  *port);
  }

  // One packet more, and its flush-age is over.
  std::size_t append_and_tick() {
    now.ns += second;
    const auto bytes = static_cast<std::uint32_t>(frame.size());
    const record::PacketRef packet{now, frame.data(), 0, bytes, bytes};
    const auto done = appender->append({&packet, 1});
    packets += done;
    now.ns += second;
    appender->tick(now);
    return done;
  }

  std::vector<BlockHandoff::Message> receive_all() const {
    std::vector<BlockHandoff::Message> all;
    std::array<BlockHandoff::Message, 4> some;
    while (const auto count = handoff->receive(some)) all.insert(all.end(), some.begin(), some.begin() + count);
    return all;
  }

  AlignedBuffer memory;
  record::BlockPool pool;
  std::unique_ptr<BlockHandoff> handoff;
  std::vector<std::unique_ptr<record::Drive>> ok;
  stats::RxCounters counters;
  std::unique_ptr<BlockHandoffDock> port;
  std::unique_ptr<record::Appender> appender;
  std::array<std::byte, 60> frame{};
  Timestamp now{1'767'225'600 * second};
  std::uint64_t packets = 0;
};

}  // namespace

TEST_CASE("a writer that does not look for ages costs no Block, however many tails there were to send", "[handoff]") {
  BlockLine line("hangs");
  while (line.append_and_tick() == 1) continue;  // until no Block is left
  REQUIRE(line.packets > 100);
  const auto messages = line.receive_all();
  CHECK(messages.size() <= blocks + 1);  // each Block, and a tail of the one drive
  std::uint64_t packets = 0, full = 0;
  for (const auto& message : messages) {
    if (message.tail.length) continue;
    packets += message.block->tally.packets;
    ++full;
  }
  CHECK(full + 1 >= blocks);  // the last one may still be open
  CHECK(line.counters.handed.get() == packets);
  CHECK(line.appender->held() + static_cast<std::int64_t>(packets) == static_cast<std::int64_t>(line.packets));
}

TEST_CASE("a tail that had to wait is sent when the one before it is taken, with all there is by then", "[handoff]") {
  BlockLine line("waits");
  for (int i = 0; i < 3; ++i) REQUIRE(line.append_and_tick() == 1);
  auto messages = line.receive_all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].tail.tally.packets == 1);
  line.appender->tick(line.now);  // nothing came in between
  messages = line.receive_all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].tail.tally.packets == 3);
  line.appender->tick(line.now);
  CHECK(line.receive_all().empty());
}

// Nobody is at the far end, and yet the pool has all its mbufs: the RX lcore copied the frames and freed them.
TEST_CASE("with --handoff blocks no mbuf leaves the RX lcore, whether its frame is stored or finds no room",
          "[handoff]") {
  BlockLine line("keeps");
  const auto field = dpdk::StampField::registered();
  REQUIRE(field.offset >= 0);
  const std::unique_ptr<rte_mempool, decltype(&rte_mempool_free)> pool(
      rte_pktmbuf_pool_create("keeps_mbufs", 255, 0, 0, 2048, SOCKET_ID_ANY), &rte_mempool_free);
  REQUIRE(pool);
  BlockOutlet outlet({.appenders = {line.appender.get()},
                      .drives = {line.ok[0].get()},
                      .referrer = {dpdk::MbufFields(field), record::max_snaplen},
                      .counters = &line.counters});
  RxQueueCounters queue;
  std::array<rte_mbuf*, 32> mbufs{};
  for (unsigned burst = 0; burst < 8; ++burst) {
    REQUIRE(rte_pktmbuf_alloc_bulk(pool.get(), mbufs.data(), mbufs.size()) == 0);
    for (auto* mbuf : mbufs) {
      mbuf->pkt_len = mbuf->data_len = 1000;
      field.of(mbuf) = line.now.ns;
    }
    // Simple ones, and such as have to be looked at.
    outlet.deliver({{mbufs.data(), mbufs.size(), burst % 2 == 0 ? pool.get() : nullptr}, 32'000, &queue});
    CHECK(rte_mempool_in_use_count(pool.get()) == 0);
  }
  const auto lost = line.counters.drop_handoff.get();
  CHECK(lost > 0);
  CHECK(outlet.held() + static_cast<std::int64_t>(line.counters.handed.get() + lost) == 256);
}

TEST_CASE("a ring that is full says so, and what it did not take is still there", "[handoff]") {
  BlockLine line("full");
  record::Block* const block = line.handoff->take_empty();
  unsigned sent = 0;
  while (line.handoff->send({block, {}})) ++sent;
  CHECK(sent >= 2 * blocks);
  CHECK(line.receive_all().size() == sent);
  unsigned given = 0;
  while (line.handoff->give_empty(*block)) ++given;
  CHECK(line.handoff->empties() == blocks - 1 + given);
}

TEST_CASE("a Block that vanishes from its ring is missed at the next look", "[handoff][books]") {
  BlockLine line("stolen");
  while (line.counters.handed.get() == 0) REQUIRE(line.append_and_tick() == 1);
  const auto before = line.handoff->look();
  CHECK(before.missing == 0);
  CHECK(before.there == before.sent);
  BlockHandoff::Message stolen;
  REQUIRE(rte_ring_sc_dequeue_elem(rte_ring_lookup("stolen_full"), &stolen, sizeof stolen) == 0);
  CHECK(line.handoff->look().missing == 1);
  line.receive_all();
  CHECK(line.handoff->look().missing == 1);
  CHECK(line.handoff->look().there == 0);
}

TEST_CASE("packets that vanish from their ring are missed at the next look", "[handoff][books]") {
  start_bare_eal();
  auto handoff = Handoff::create("packets", 64, SOCKET_ID_ANY);
  REQUIRE(handoff);
  REQUIRE(handoff->reserve(40).first.size() == 40);
  handoff->publish(40);
  REQUIRE(handoff->peek(10).first.size() == 10);
  handoff->consume(10);
  CHECK(handoff->look().there == 30);
  CHECK(handoff->look().missing == 0);
  std::array<record::PacketRef, 7> stolen;
  REQUIRE(rte_ring_sc_dequeue_bulk_elem(rte_ring_lookup("packets"), stolen.data(), sizeof stolen[0], stolen.size(),
                                        nullptr) == stolen.size());
  CHECK(handoff->look().missing == 7);
  CHECK(handoff->look().there == 23);
}

TEST_CASE("what lcores move while they are looked at is not missed", "[handoff][books]") {
  start_bare_eal();
  auto handoff = Handoff::create("moving", 256, SOCKET_ID_ANY);
  REQUIRE(handoff);
  std::atomic<bool> stop{false};
  std::jthread producer([&] {
    while (!stop) {
      const auto room = handoff->reserve(32);
      if (!room.first.empty()) handoff->publish(room.first.size() + room.second.size());
    }
  });
  std::jthread consumer([&] {
    while (!stop) {
      const auto there = handoff->peek(24);
      if (!there.first.empty()) handoff->consume(there.first.size() + there.second.size());
    }
  });
  std::uint64_t missing = 0;
  for (int looks = 0; looks < 200'000; ++looks) missing += handoff->look().missing;
  stop = true;
  CHECK(missing == 0);
}
