// SPDX-License-Identifier: BSD-3-Clause
// RxLcore on a net_ring port, whose mbufs we fill ourselves, the stamp of a NIC included.
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "capture/counted.hpp"
#include "capture/limit_outlet.hpp"
#include "capture/packet_handoff.hpp"
#include "capture/rx_lcore.hpp"
#include "dpdk/clock.hpp"
#include "dpdk/refer.hpp"
#include "eal/bare_eal.hpp"
#include "record/packet_ref.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::capture;
using namespace wirespool::dpdk;

namespace {

constexpr unsigned ring_size = 1024;

// One EAL, pool and port for all cases: EAL cannot be started twice in a process.
struct Bed {
  rte_mempool* pool = nullptr;
  rte_ring* ring = nullptr;
  std::uint16_t port = 0;
  StampField field;

  Referrer referrer() const { return {field, record::max_snaplen}; }

  static Bed& get() {
    static Bed bed;
    return bed;
  }

 private:
  Bed() {
    test::start_bare_eal();
    field = StampField::registered();
    pool = rte_pktmbuf_pool_create("pool", 2047, 0, 0, 2176, SOCKET_ID_ANY);
    ring = rte_ring_create("rx", ring_size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    port = static_cast<std::uint16_t>(rte_eth_from_rings("net_ring_test", &ring, 1, &ring, 1, SOCKET_ID_ANY));
    const rte_eth_conf conf{};
    rte_eth_dev_configure(port, 1, 1, &conf);
    rte_eth_rx_queue_setup(port, 0, ring_size, SOCKET_ID_ANY, nullptr, pool);
    rte_eth_tx_queue_setup(port, 0, ring_size, SOCKET_ID_ANY, nullptr);
    rte_eth_dev_start(port);
  }
};

struct Drained {
  std::vector<Timestamp> stamps;
  std::uint64_t packets = 0;
  std::uint64_t refused = 0;  // stamps
};

// Puts mbufs on the wire; `nic_ticks` 0: a frame the NIC did not stamp.
void send(const std::vector<std::uint64_t>& nic_ticks) {
  auto& bed = Bed::get();
  for (const auto ticks : nic_ticks) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(bed.pool);
    REQUIRE(mbuf != nullptr);
    rte_pktmbuf_append(mbuf, 60);
    bed.field.of(mbuf) = ticks;
    if (ticks) mbuf->ol_flags |= bed.field.rx_flag;
    REQUIRE(rte_ring_enqueue(bed.ring, mbuf) == 0);
  }
}

// One mbuf's reference, as a Referrer of any or of owned mbufs makes it.
record::PacketRef any_of(const Referrer& referrer, rte_mbuf* mbuf) {
  return referrer.any([mbuf](const auto& reference) { return reference(mbuf); });
}
record::PacketRef owned_of(const Referrer& referrer, rte_mbuf* mbuf) {
  return referrer.owned(Bed::get().pool, [mbuf](const auto& reference) { return reference(mbuf); });
}

// An RX lcore polls the port until it is told to stop. `queue`: all but which port and how many descriptors.
void run_lcore(RxQueue queue, unsigned burst, StopFlag& stop, stats::RxCounters& counters) {
  auto& bed = Bed::get();
  auto tsc = DisciplinedClock::of_tsc();
  policy::SharedClock tsc_line;
  tsc->publish_to(tsc_line);
  queue.port = bed.port;
  queue.descriptors = ring_size;
  RxLcore lcore({.queues = {queue},
                 .burst = burst,
                 .stamp_field = bed.field,
                 .tsc_clock = &tsc_line,
                 .stop = &stop,
                 .counters = &counters});
  lcore.run();
}

// What an RX lcore that is told to stop at once still drains from the port.
Drained drain(const policy::SharedClock* nic_clock, unsigned burst = 16, std::uint64_t late_ticks = 0) {
  auto& bed = Bed::get();
  auto handoff = Handoff::create("handoff", 2048, SOCKET_ID_ANY);
  REQUIRE(handoff);
  StopFlag stop;
  stop.stop();
  stats::RxCounters counters;
  RxQueueCounters queue_counters;
  Counted outlet(counters,
                 DroppingPacketOutlet(
                     {.handoffs = {&*handoff}, .pool = bed.pool, .referrer = bed.referrer(), .counters = counters}));
  run_lcore({.late_ticks = late_ticks, .nic_clock = nic_clock, .counters = &queue_counters, .outlet = &outlet}, burst,
            stop, counters);
  Drained received{.stamps = {}, .packets = counters.received.get(), .refused = queue_counters.stamps_refused.get()};
  const auto packets = handoff->peek(2048);
  for (const auto& span : {packets.first, packets.second}) {
    for (const auto& packet : span) received.stamps.push_back(packet.stamp);
    free_packets(span.data(), static_cast<unsigned>(span.size()), bed.pool);
  }
  handoff->consume(received.stamps.size());
  return received;
}

}  // namespace

TEST_CASE("TSC stamps are the present in UTC and strictly increase over bursts", "[stamping]") {
  const auto before = utc_now();
  send(std::vector<std::uint64_t>(500, 0));
  const auto received = drain(nullptr);
  const auto after = utc_now();
  REQUIRE(received.packets == 500);
  REQUIRE(received.stamps.size() == 500);
  CHECK(received.stamps.front().ns + 1'000'000 > before.ns);
  CHECK(received.stamps.back().ns < after.ns + 1'000'000);
  for (std::size_t i = 1; i < 500; ++i) REQUIRE(received.stamps[i] > received.stamps[i - 1]);
}

namespace {

// A clock of 1 GHz / 8 (as i40e's at 10G): 8 ns a tick; tick 1000 is the present.
struct NicClock {
  policy::SharedClock line;
  std::uint64_t now = utc_now().ns;

  NicClock() { line.publish({{1000}, {now}, 8ull << 32, 0}); }
};

}  // namespace

TEST_CASE("a NIC's ticks become UTC by its own clock", "[stamping]") {
  const NicClock nic;
  send({1000, 1001, 1010, 2000});
  const auto received = drain(&nic.line);
  REQUIRE(received.stamps.size() == 4);
  CHECK(received.stamps[0].ns == nic.now);
  CHECK(received.stamps[1].ns == nic.now + 8);
  CHECK(received.stamps[2].ns == nic.now + 80);
  CHECK(received.stamps[3].ns == nic.now + 8'000);
}

TEST_CASE("NIC stamps that are equal or go back are kept in order by a nanosecond", "[stamping]") {
  const NicClock nic;
  send({1005, 1005, 1004, 1006});
  const auto received = drain(&nic.line);
  REQUIRE(received.stamps.size() == 4);
  for (std::size_t i = 1; i < 4; ++i) CHECK(received.stamps[i] > received.stamps[i - 1]);
  CHECK(received.stamps[2].ns == received.stamps[0].ns + 2);
  CHECK(received.stamps[3].ns == nic.now + 48);
}

TEST_CASE("a frame the NIC did not stamp gets the time of the poll", "[stamping]") {
  const NicClock nic;
  send({1005, 0});
  const auto received = drain(&nic.line);
  const auto now = utc_now();
  REQUIRE(received.stamps.size() == 2);
  CHECK(received.stamps[0].ns == nic.now + 40);
  CHECK(now.ns - received.stamps[1].ns < 1'000'000'000);
}

TEST_CASE("NIC stamps that cannot be are refused and counted, and pin no later ones", "[stamping]") {
  const NicClock nic;
  // Another epoch; 2^32 ns too late; ten seconds before the queue was looked at.
  constexpr std::uint64_t ten_seconds = 10'000'000'000 / 8;
  for (const std::uint64_t wild : {std::uint64_t{1} << 60, 1000 + (std::uint64_t{1} << 32) / 8, 1000 - ten_seconds}) {
    send({1000, wild, 1001});
    const auto received = drain(&nic.line);
    const auto now = utc_now();
    REQUIRE(received.stamps.size() == 3);
    CHECK(received.refused == 1);
    CHECK(received.stamps[0].ns == nic.now);
    CHECK(received.stamps[1].ns > nic.now);
    CHECK(received.stamps[1].ns <= now.ns);
    CHECK(received.stamps[2].ns <= now.ns);
  }
}

namespace {

// The lcore loses its CPU behind its first look, which found nothing, before it reads the time.
struct PutOff {
  static inline bool looked = false;
  static inline eth_rx_burst_t beneath = nullptr;

  PutOff() {
    auto& receive = rte_eth_fp_ops[Bed::get().port].rx_pkt_burst;
    beneath = receive;
    looked = false;
    receive = [](void* queue, rte_mbuf** mbufs, std::uint16_t count) -> std::uint16_t {
      if (std::exchange(looked, true)) return beneath(queue, mbufs, count);
      usleep(50'000);
      return 0;
    };
  }
  PutOff(const PutOff&) = delete;
  PutOff& operator=(const PutOff&) = delete;
  ~PutOff() { rte_eth_fp_ops[Bed::get().port].rx_pkt_burst = beneath; }
};

}  // namespace

TEST_CASE("a NIC's stamp is kept, however long the lcore was off its CPU when the frame came", "[stamping]") {
  const NicClock nic;
  send({1000, 1001});
  const PutOff lcore;
  const auto received = drain(&nic.line);
  REQUIRE(received.stamps.size() == 2);
  CHECK(received.refused == 0);
  CHECK(received.stamps[0].ns == nic.now);
  CHECK(received.stamps[1].ns == nic.now + 8);
}

TEST_CASE("a clock that was given up stamps nothing", "[stamping]") {
  policy::SharedClock given_up;
  given_up.publish({});
  const auto before = utc_now();
  send({1000, 2000});
  const auto received = drain(&given_up);
  REQUIRE(received.stamps.size() == 2);
  CHECK(received.refused == 0);
  for (const auto& stamp : received.stamps) CHECK(stamp.ns >= before.ns);
}

TEST_CASE("a chained mbuf is copied whole from any offset", "[mbuf]") {
  auto& bed = Bed::get();
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::byte> frame;
  rte_mbuf* head = rte_pktmbuf_alloc(bed.pool);
  for (rte_mbuf* segment = head; segment; segment = segment->next) {
    const auto bytes = static_cast<std::uint16_t>(segment == head ? 100 : random() % 900);
    char* data = rte_pktmbuf_append(segment == head ? head : segment, segment == head ? bytes : 0);
    if (segment != head) data = rte_pktmbuf_mtod(segment, char*);
    for (std::uint16_t i = 0; i < bytes; ++i)
      frame.push_back(static_cast<std::byte>(data[i] = static_cast<char>(random())));
    if (segment != head) {
      segment->data_len = bytes;
      head->pkt_len += bytes;
    }
    if (frame.size() < 5'000) {
      segment->next = rte_pktmbuf_alloc(bed.pool);
      head->nb_segs += 1;
    }
  }
  const auto packet = owned_of(bed.referrer(), head);
  CHECK(packet.wirelen == frame.size());
  CHECK(packet.caplen == frame.size());
  CHECK(packet.is_in_pieces());
  for (int round = 0; round < 1'000; ++round) {
    const auto offset = random() % frame.size();
    const auto bytes = random() % (frame.size() - offset + 1);
    std::vector<std::byte> copy(bytes);
    copy_chain(packet, static_cast<std::uint32_t>(offset), copy.data(), static_cast<std::uint32_t>(bytes));
    REQUIRE(std::equal(copy.begin(), copy.end(), frame.begin() + static_cast<std::ptrdiff_t>(offset)));
  }
  const unsigned before = rte_mempool_avail_count(bed.pool);
  free_packets(&packet, 1, bed.pool);
  CHECK(rte_mempool_avail_count(bed.pool) > before + 1);
}

namespace {

// One frame of `bytes`, in segments of `segment_bytes` at most.
rte_mbuf* frame_of(std::uint32_t bytes, std::uint32_t segment_bytes) {
  auto& bed = Bed::get();
  rte_mbuf* const head = rte_pktmbuf_alloc(bed.pool);
  REQUIRE(head != nullptr);
  for (rte_mbuf* segment = head; bytes > 0; bytes -= segment->data_len) {
    if (segment->data_len) {
      segment = segment->next = rte_pktmbuf_alloc(bed.pool);
      REQUIRE(segment != nullptr);
      head->nb_segs += 1;
    }
    segment->data_len = static_cast<std::uint16_t>(std::min(bytes, segment_bytes));
    head->pkt_len += segment->data_len;
  }
  bed.field.of(head) = 1;
  return head;
}

}  // namespace

TEST_CASE("how much of a frame is kept is decided where the reference to it is made", "[mbuf]") {
  auto& bed = Bed::get();
  const auto snaplen = GENERATE(1u, 60u, 1514u, 65'535u, 262'144u);
  const auto bytes = GENERATE(60u, 61u, 1514u, 1515u);
  CAPTURE(snaplen, bytes);
  const Referrer referrer(bed.field, snaplen);
  rte_mbuf* const mbuf = frame_of(bytes, 2'000);
  referrer.simple([&](const auto& simple) {
    for (const auto& packet : {simple(mbuf), any_of(referrer, mbuf), owned_of(referrer, mbuf)}) {
      CHECK(packet.wirelen == bytes);
      CHECK(packet.caplen == std::min(bytes, snaplen));
      CHECK(packet.head == rte_pktmbuf_mtod(mbuf, const std::byte*));
      CHECK_FALSE(packet.is_in_pieces());
      CHECK(is_simple(packet));
    }
  });
  rte_pktmbuf_free(mbuf);
}

TEST_CASE("a chain is copied in pieces only if more of it is kept than its first segment holds", "[mbuf]") {
  auto& bed = Bed::get();
  rte_mbuf* const mbuf = frame_of(1'500, 500);
  for (const std::uint32_t snaplen : {1, 499, 500, 501, 1'500, 262'144}) {
    CAPTURE(snaplen);
    const Referrer referrer(bed.field, snaplen);
    for (const auto& packet : {any_of(referrer, mbuf), owned_of(referrer, mbuf)}) {
      CHECK(packet.caplen == std::min(1'500u, snaplen));
      CHECK(packet.is_in_pieces() == (snaplen > 500));
    }
    CHECK_FALSE(is_simple(owned_of(referrer, mbuf)));
  }
  const auto packet = owned_of(Referrer(bed.field, 262'144), mbuf);
  const unsigned before = rte_mempool_avail_count(bed.pool);
  free_packets(&packet, 1, bed.pool);
  CHECK(rte_mempool_avail_count(bed.pool) == before + 3);
}

TEST_CASE("of what is said for one frame, of a slice and of the most of any frame, the shortest is kept", "[mbuf]") {
  auto& bed = Bed::get();
  const MbufFields fields(bed.field, KeepField::registered());
  REQUIRE(fields.keep.used());
  const auto keep = GENERATE(as<std::uint32_t>(), 40, 900, KeepField::everything);
  const auto slice = GENERATE(as<std::uint32_t>(), 0, 30, 700);  // 0: none
  const auto snaplen = GENERATE(as<std::uint32_t>(), 20, 1'000, 262'144);
  const auto segment = GENERATE(500u, 2'000u);
  CAPTURE(keep, slice, snaplen, segment);
  const auto sliced = slice ? std::optional(format::Slice{.layer = {}, .bytes = slice}) : std::nullopt;
  const Referrer referrer(fields, snaplen, sliced);
  CHECK(referrer.shortens());
  rte_mbuf* const mbuf = frame_of(1'500, segment);
  fields.keep.of(mbuf) = keep;
  const auto unsliced = std::min({1'500u, keep, snaplen});
  const auto kept = slice ? std::min(unsliced, slice) : unsliced;
  const auto check = [&](const record::PacketRef& packet) {
    CHECK(packet.wirelen == 1'500);
    CHECK(packet.caplen == kept);
    CHECK(packet.is_in_pieces() == (kept > segment));
    CHECK(referrer.count_sliced(&mbuf, {&packet, 1}) == (kept < unsliced));
  };
  check(any_of(referrer, mbuf));
  check(owned_of(referrer, mbuf));
  if (segment > 1'500) referrer.simple([&](const auto& simple) { check(simple(mbuf)); });
  rte_pktmbuf_free(mbuf);
}

TEST_CASE("a driver's pkt_len is a claim: of one segment that holds less, what is there is copied", "[mbuf]") {
  auto& bed = Bed::get();
  rte_mbuf* const mbuf = frame_of(600, 1'000);
  mbuf->pkt_len = 70'000;
  const auto packet = owned_of(bed.referrer(), mbuf);
  CHECK(packet.wirelen == 70'000);
  REQUIRE(packet.is_in_pieces());
  std::vector<std::byte> copy(packet.caplen);
  CHECK(copy_chain(packet, 0, copy.data(), packet.caplen) == 600);
  free_packets(&packet, 1, bed.pool);
}

TEST_CASE("what the Handoff cannot take is counted, freed and nothing else", "[handoff]") {
  auto& bed = Bed::get();
  const unsigned before = rte_mempool_avail_count(bed.pool);
  send(std::vector<std::uint64_t>(600, 0));
  auto handoff = Handoff::create("small", 128, SOCKET_ID_ANY);
  StopFlag stop;
  stop.stop();
  stats::RxCounters counters;
  RxQueueCounters queue_counters;
  Counted outlet(counters,
                 DroppingPacketOutlet(
                     {.handoffs = {&*handoff}, .pool = bed.pool, .referrer = bed.referrer(), .counters = counters}));
  run_lcore({.counters = &queue_counters, .outlet = &outlet}, 50, stop, counters);
  CHECK(counters.received.get() == 600);
  CHECK(counters.drop_handoff.get() == 600 - 127);
  CHECK(rte_mempool_avail_count(bed.pool) == before - 127);
  const auto packets = handoff->peek(128);
  free_packets(packets.first.data(), static_cast<unsigned>(packets.first.size()), bed.pool);
  free_packets(packets.second.data(), static_cast<unsigned>(packets.second.size()), bed.pool);
  handoff->consume(127);
  CHECK(rte_mempool_avail_count(bed.pool) == before);
}

namespace {

// A device that writes its last descriptors back later than it is asked for them, as iavf does without WB_ON_ITR.
struct LateDevice {
  static inline std::uint64_t shows_at = 0;  // of the TSC
  static inline eth_rx_burst_t beneath = nullptr;

  explicit LateDevice(std::uint64_t ticks) {
    auto& receive = rte_eth_fp_ops[Bed::get().port].rx_pkt_burst;
    beneath = receive;
    shows_at = read_tsc().count + ticks;
    receive = [](void* queue, rte_mbuf** mbufs, std::uint16_t count) -> std::uint16_t {
      return read_tsc().count < shows_at ? std::uint16_t{0} : beneath(queue, mbufs, count);
    };
  }
  LateDevice(const LateDevice&) = delete;
  LateDevice& operator=(const LateDevice&) = delete;
  ~LateDevice() { rte_eth_fp_ops[Bed::get().port].rx_pkt_burst = beneath; }
};

}  // namespace

TEST_CASE("frames that a device tells of late are not left behind at a stop", "[stamping]") {
  const std::uint64_t late = rte_get_tsc_hz() / 100;  // 10 ms
  send(std::vector<std::uint64_t>(5, 0));
  {
    const LateDevice device(rte_get_tsc_hz() * 60);
    CHECK(drain(nullptr, 16, 0).packets == 0);  // that is what it would be without waiting
  }
  const LateDevice device(late);
  CHECK(drain(nullptr, 16, late).packets == 5);
}

namespace {

// What 200 frames of 60 bytes leave behind that an RX lcore receives in Bursts of 50, until `allowance` is used up.
struct LimitedRun {
  explicit LimitedRun(Allowance& allowance) {
    auto& bed = Bed::get();
    send(std::vector<std::uint64_t>(200, 0));
    Counted ended(counters, NoOutlet(counters));
    LimitOutlet outlet(ended, allowance, stop, counters);
    run_lcore({.counters = &queue_counters, .outlet = &outlet}, 50, stop, counters);
    left = rte_ring_count(bed.ring);
    std::array<rte_mbuf*, 200> rest;
    rte_pktmbuf_free_bulk(rest.data(),
                          rte_ring_dequeue_burst(bed.ring, reinterpret_cast<void**>(rest.data()), left, nullptr));
  }

  StopFlag stop;
  stats::RxCounters counters;
  RxQueueCounters queue_counters;
  unsigned left = 0;  // in the RxQueue
};

constexpr std::uint64_t unlimited = INT64_MAX;

}  // namespace

TEST_CASE("--packets ends a capture in the middle of a Burst: the rest of it is freed and no part of what was received",
          "[limit]") {
  const auto packets = GENERATE(1u, 49u, 50u, 51u, 120u);
  CAPTURE(packets);
  const unsigned bursts = (packets + 49) / 50;
  const unsigned before = rte_mempool_avail_count(Bed::get().pool);
  Allowance allowance(packets, unlimited);
  const LimitedRun run(allowance);
  CHECK(run.stop.stopping());
  CHECK(allowance.packets_used_up());
  CHECK(run.counters.received.get() == packets);
  CHECK(run.counters.received_bytes.get() == packets * 60);
  CHECK(run.queue_counters.packets.get() == packets);
  CHECK(run.queue_counters.bytes.get() == packets * 60);
  CHECK(run.counters.ended_early.get() == packets);
  CHECK(run.counters.beyond_limit.get() == bursts * 50 - packets);
  CHECK(run.left == 200 - bursts * 50);  // and the RxQueue is not emptied
  CHECK(run.counters.audit.missing.get() == 0);
  CHECK(rte_mempool_avail_count(Bed::get().pool) == before);
}

TEST_CASE("--bytes ends a capture behind the Burst that reaches it, which is kept whole", "[limit]") {
  const auto bytes = GENERATE(1u, 3'000u, 3'001u);
  CAPTURE(bytes);
  Allowance allowance(unlimited, bytes);
  const LimitedRun run(allowance);
  CHECK(run.stop.stopping());
  CHECK(allowance.bytes_used_up());
  CHECK(run.counters.received.get() == (bytes <= 3'000 ? 50 : 100));
  CHECK(run.counters.beyond_limit.get() == 0);
}
