// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>
#include <random>

#include "support/catch.hpp"
#include "unit/flow/table_bed.hpp"

using namespace wirespool;
using namespace wirespool::test;
using flow::Flow;
using flow::FlowPacket;
using format::FlowEnd;

namespace {

struct Sums {
  std::uint64_t packets = 0, bytes = 0;
  bool operator==(const Sums&) const = default;
};

// By flow and sending end.
using Books = std::map<std::pair<std::uint64_t, bool>, Sums>;

Books books_of(const std::vector<Flow>& flows) {
  Books books;
  for (const auto& flow : flows)
    for (unsigned way = 0; way < 2; ++way) {
      if (flow.packets[way] == 0) continue;
      auto& sums = books[{flow.key.low[0], (way ^ flow.from_high) != 0}];
      sums.packets += flow.packets[way];
      sums.bytes += flow.bytes[way];
    }
  return books;
}

void add(Books& books, const FlowPacket& packet) {
  auto& sums = books[{packet.key.low[0], packet.from_high != 0}];
  ++sums.packets;
  sums.bytes += packet.ip_bytes;
}

std::uint64_t packets_in(const std::vector<Flow>& flows) {
  std::uint64_t sum = 0;
  for (const auto& flow : flows) sum += flow.packets[0] + flow.packets[1];
  return sum;
}

}  // namespace

TEST_CASE("every packet is in one record of its flow and direction, whatever ends records", "[flow]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  // Far too small a table, flows of every age, time that stands still, runs and jumps.
  TableBed bed({.flows = 64, .seed = random(), .active_ns = 3 * second, .idle_ns = second}, 1 << 17);
  Books expected;
  std::uint64_t now = second;
  std::vector<FlowPacket> burst;
  for (int round = 0; round < 2000; ++round) {
    burst.clear();
    for (auto left = random() % flow::FlowTable::most_packets + 1; left > 0; --left) {
      now += random() % 3 ? 0 : random() % 50'000'000;
      const auto flags = static_cast<std::uint8_t>(random() % 8 ? 16 : random() % 32);
      burst.push_back(packet_of(random() % (random() % 200 + 1), now, random() % 2, flags));
      burst.back().ip_bytes = static_cast<std::uint32_t>(random() % 1500);
      add(expected, burst.back());
    }
    bed.table.look(burst);
    if (random() % 4 == 0) bed.table.age({now}, random() % 16);
  }
  const auto& counters = bed.table.counters();
  CHECK(counters.lost.get() == 0);
  CHECK(counters.full.get() > 0);
  const auto open = bed.table.open();
  auto flows = bed.ended();
  const auto ended = flows.size();
  CHECK(counters.ended.get() == ended);
  bed.table.take_all(FlowEnd::stop, [&](const Flow& flow) { flows.push_back(flow); });
  CHECK(flows.size() - ended == open);
  CHECK(bed.table.open() == 0);
  CHECK(packets_in(flows) == counters.packets.get());
  CHECK(books_of(flows) == expected);
}

TEST_CASE("as many flows fit as the table was made for", "[flow]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (const std::uint64_t flows : {100, 5000, 300'000}) {
    TableBed bed({.flows = flows, .seed = random()});
    for (std::uint64_t i = 0; i < flows; ++i) bed.look(packet_of(i, second));
    INFO(flows << " flows");
    CHECK(bed.table.counters().full.get() <= 1 + flows / 100'000);  // chance has it once in hundreds of tables of 5000
    CHECK(bed.table.open() == flows - bed.table.counters().full.get());
  }
}

TEST_CASE("a table that is full ends the record that was silent for longest", "[flow]") {
  TableBed bed({.flows = 1, .idle_ns = 16'000'000});  // two buckets: 14 places; last seen to the millisecond
  for (std::uint64_t i = 0; i < 14; ++i) bed.look(packet_of(i, (i + 1) * 10'000'000));
  auto flow_number_14 = packet_of(14, second);
  while (bed.table.counters().full.get() == 0) {  // both of its buckets may be one and the same
    bed.look(flow_number_14);
    ++flow_number_14.key.low[0];
  }
  const auto ended = bed.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].end == FlowEnd::full);
  CHECK(ended[0].packets[0] == 1);
  for (const auto& flow : bed.all()) CHECK(flow.last_ns >= ended[0].last_ns);
}

TEST_CASE("a flow that was silent for the idle time-out begins anew with its next packet", "[flow]") {
  TableBed bed({.flows = 100, .idle_ns = second});
  CHECK(bed.look(packet_of(1, second)) == 0);
  CHECK(bed.look(packet_of(1, 2 * second - 1)) == 100);
  CHECK(bed.look(packet_of(1, 3 * second - 1, true)) == 0);
  const auto ended = bed.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].end == FlowEnd::idle);
  CHECK(ended[0].packets[0] == 2);
  CHECK(ended[0].last_ns == 2 * second - 1);
  const auto open = bed.all();
  REQUIRE(open.size() == 1);
  CHECK(open[0].from_high == 1);  // who sends first after the pause is the first direction
}

TEST_CASE("a silent flow ends without another packet", "[flow]") {
  TableBed bed({.flows = 1000, .idle_ns = second});
  for (std::uint64_t i = 0; i < 1000; ++i) bed.look(packet_of(i, second + i));
  bed.table.age({second}, SIZE_MAX);
  bed.table.age({2 * second - 10'000'000}, SIZE_MAX);
  CHECK(bed.ended().empty());
  bed.table.age({2 * second + 250'000'000}, SIZE_MAX);  // a quarter of the time-out: one whole round
  const auto ended = bed.ended();
  CHECK(ended.size() == 1000);
  CHECK(std::ranges::all_of(ended, [](const Flow& flow) { return flow.end == FlowEnd::idle; }));
  CHECK(bed.table.open() == 0);
}

TEST_CASE("a record ends at the active time-out, its flow goes on", "[flow]") {
  TableBed bed({.flows = 100, .active_ns = 2 * second, .idle_ns = 10 * second});
  for (std::uint64_t i = 0; i < 5; ++i) CHECK(bed.look(packet_of(1, (i + 1) * second)) == i * 100);
  const auto ended = bed.ended();
  REQUIRE(ended.size() == 2);
  for (const auto& record : ended) {
    CHECK(record.end == FlowEnd::active);
    CHECK(record.packets[0] == 2);
  }
  CHECK(bed.all().at(0).first_ns == 5 * second);
}

TEST_CASE("a flow whose both ends said FIN ends so, after the last ACK", "[flow]") {
  TableBed bed({.flows = 100});
  bed.look(packet_of(1, second, false, flow::tcp::fin | flow::tcp::ack));
  bed.look(packet_of(1, second + 1, true, flow::tcp::fin | flow::tcp::ack));
  bed.look(packet_of(1, second + 2, false, flow::tcp::ack));
  bed.table.age({second + 2}, SIZE_MAX);
  CHECK(bed.ended().empty());
  bed.table.age({6 * second}, SIZE_MAX);
  const auto ended = bed.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].end == FlowEnd::fin);
  CHECK(ended[0].packets == std::array<std::uint64_t, 2>{2, 1});
}

TEST_CASE("a FIN of one end alone ends no flow, an RST does", "[flow]") {
  TableBed bed({.flows = 100});
  bed.look(packet_of(1, second, false, flow::tcp::fin));
  bed.look(packet_of(2, second, false, flow::tcp::rst));
  bed.table.age({second}, SIZE_MAX);
  bed.table.age({6 * second}, SIZE_MAX);
  const auto ended = bed.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].key.low[0] == 2);
  CHECK(ended[0].end == FlowEnd::fin);
}

TEST_CASE("a SYN behind an RST begins another flow at once", "[flow]") {
  TableBed bed({.flows = 100});
  bed.look(packet_of(1, second, false, flow::tcp::rst));
  CHECK(bed.look(packet_of(1, second + 1, false, flow::tcp::syn)) == 0);
  const auto ended = bed.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].end == FlowEnd::fin);
  CHECK(bed.table.open() == 1);
}

TEST_CASE("while the ring is full, records that end by time go on and nothing is lost", "[flow]") {
  TableBed bed({.flows = 100, .active_ns = second, .idle_ns = second}, 1);
  for (std::uint64_t i = 0; i < 10; ++i) bed.look(packet_of(i, second));
  for (int round = 0; round < 3; ++round) bed.table.age({(3 + static_cast<std::uint64_t>(round)) * second}, SIZE_MAX);
  for (std::uint64_t i = 0; i < 10; ++i) bed.look(packet_of(i, 9 * second));
  CHECK(bed.table.counters().lost.get() == 0);
  CHECK(packets_in(bed.all()) == 20);
}

TEST_CASE("a record that has to make room while the ring is full is counted as lost, with its packets", "[flow]") {
  TableBed bed({.flows = 1}, 1);
  for (std::uint64_t i = 0; i < 100; ++i) {
    bed.look(packet_of(i, second));
    bed.look(packet_of(i, second));
  }
  const auto& counters = bed.table.counters();
  CHECK(counters.lost.get() > 0);
  CHECK(counters.full.get() == counters.lost.get() + 1);  // the ring has one
  CHECK(packets_in(bed.all()) + counters.lost_packets.get() == 200);
}

TEST_CASE("what came of a flow before is counted in frame bytes of both directions", "[flow]") {
  TableBed bed({.flows = 100});
  auto packet = packet_of(1, second);
  packet.wirelen = 1500;
  CHECK(bed.look(packet) == 0);
  CHECK(bed.look(packet_of(1, second, true)) == 1500);
  CHECK(bed.look(packet_of(1, second)) == 1600);
}

TEST_CASE("packets of a new flow in one Burst find each other", "[flow]") {
  TableBed bed({.flows = 100});
  std::vector<FlowPacket> burst(flow::FlowTable::most_packets, packet_of(1, second));
  bed.table.look(burst);
  for (std::size_t i = 0; i < burst.size(); ++i) CHECK(burst[i].before == i * 100);
  CHECK(bed.table.open() == 1);
}

TEST_CASE("a clock that is set back ends no flow", "[flow]") {
  TableBed bed({.flows = 100});
  bed.look(packet_of(1, 1000 * second));
  bed.table.age({1000 * second}, SIZE_MAX);
  bed.table.age({10 * second}, SIZE_MAX);
  bed.table.age({20 * second}, SIZE_MAX);
  bed.look(packet_of(1, 20 * second));
  CHECK(bed.ended().empty());
  CHECK(bed.all().at(0).packets[0] == 2);
}

TEST_CASE("a table takes 219 bytes a flow, however many it is for", "[flow]") {
  const auto flows = GENERATE(values<std::uint64_t>({1 << 16, 1'000'000, 1 << 20, 1 << 28}));
  CHECK((flow::FlowTable::bytes_needed(flows) + flows / 2) / flows == 219);  // README and src/flow say so
}
