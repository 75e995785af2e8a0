// SPDX-License-Identifier: BSD-3-Clause
// --filter on mbufs of our own, by each engine there is: it must leave what tcpdump leaves of the same trace.
#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/filter_outlet.hpp"
#include "dpdk/machine_code.hpp"
#include "eal/bare_eal.hpp"
#include "spool/random_traffic.hpp"
#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::test;
using dpdk::PacketFilter;
using plan::FilterEngine;

namespace {

// One EAL and pool for all cases: EAL cannot be started twice in a process.
struct Bed {
  rte_mempool* pool = nullptr;
  dpdk::StampField field;

  static Bed& get() {
    static Bed bed;
    return bed;
  }

 private:
  Bed() {
    start_bare_eal();
    field = dpdk::StampField::registered();
    pool = rte_pktmbuf_pool_create("pool", 8191, 0, 0, 2176, SOCKET_ID_ANY);
    if (!pool) throw std::runtime_error("no memory for mbufs");
  }
};

enum class Shape { whole, chained };

// `most`: bytes of its first segment, and of each behind it.
rte_mbuf* mbuf_of(const PacketView& packet, std::size_t most) {
  rte_mbuf* const first = rte_pktmbuf_alloc(Bed::get().pool);
  REQUIRE(first != nullptr);
  Bed::get().field.of(first) = packet.time.ns;
  auto left = packet.bytes;
  for (rte_mbuf* segment = first; !left.empty();) {
    const auto piece = left.first(std::min(left.size(), most));
    std::ranges::copy(piece, rte_pktmbuf_mtod(segment, std::byte*));
    segment->data_len = static_cast<std::uint16_t>(piece.size());
    left = left.subspan(piece.size());
    if (left.empty()) break;
    segment->next = rte_pktmbuf_alloc(Bed::get().pool);
    REQUIRE(segment->next != nullptr);
    segment = segment->next;
    ++first->nb_segs;
  }
  first->pkt_len = packet.wirelen;
  return first;
}

// Where Bursts end here.
class Collector final : public capture::Outlet {
 public:
  explicit Collector(stats::RxCounters& counters) : counters_(counters) {}

  void deliver(const capture::Received& received) noexcept override {
    capture::count_received(counters_, received);
    for (unsigned i = 0; i < received.burst.count; ++i) {
      rte_mbuf* const mbuf = received.burst.mbufs[i];
      bytes_ += mbuf->pkt_len;
      std::vector<std::byte> frame(mbuf->pkt_len);
      if (!rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, frame.data())) std::abort();
      const auto* in_place = static_cast<const std::byte*>(rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, frame.data()));
      kept.append({Bed::get().field.of(mbuf)}, {in_place, frame.size()}, mbuf->pkt_len);
    }
    told_bytes_ += received.bytes;
    dpdk::free_burst(received.burst);
  }
  bool told_right() const { return bytes_ == told_bytes_; }

  Trace kept;

 private:
  stats::RxCounters& counters_;
  std::uint64_t bytes_ = 0, told_bytes_ = 0;
};

// The trace through a FilterOutlet in Bursts of any size; the books are looked at on the way.
Trace filtered(const PacketFilter& filter, const Trace& trace, Shape shape, Random& random) {
  stats::RxCounters counters;
  capture::RxQueueCounters queue;
  Collector end(counters);
  capture::FilterOutlet outlet(end, filter, counters);
  for (std::size_t at = 0; at < trace.size();) {
    std::array<rte_mbuf*, 64> mbufs;
    const auto count = static_cast<unsigned>(std::min<std::size_t>(trace.size() - at, 1 + random.below(64)));
    std::uint64_t bytes = 0;
    for (unsigned i = 0; i < count; ++i) {
      mbufs[i] = mbuf_of(trace[at + i], shape == Shape::chained ? 1 + random.below(40) : 2000);
      bytes += mbufs[i]->pkt_len;
    }
    outlet.deliver({{mbufs.data(), count, shape == Shape::whole ? Bed::get().pool : nullptr}, bytes, &queue});
    at += count;
  }
  CHECK(counters.received.get() == trace.size());
  CHECK(queue.packets.get() == trace.size());
  CHECK(counters.received_bytes.get() == trace.bytes());
  CHECK(counters.filtered.get() + end.kept.size() == trace.size());
  CHECK(end.told_right());
  CHECK(rte_mempool_in_use_count(Bed::get().pool) == 0);
  return std::move(end.kept);
}

std::vector<std::byte> ask_tcpdump_to_filter(const TempDir& directory, const std::string& expression) {
  const auto kept = directory / "tcpdump.pcap";
  const auto asked = run_process({"tcpdump", "--nano", "-r", directory / "trace.pcap", "-w", kept, expression});
  INFO(asked.err);
  REQUIRE(asked.ok());
  return read_bytes(kept);
}

filter::Program program_of(const std::string& expression) { return *filter::Program::compile(expression, 1); }

std::string valid_expression(Random& random) {
  for (;;) {
    auto expression = random_filter(random, static_cast<unsigned>(random.below(5)));
    if (filter::Program::compile(expression, 1)) return expression;
  }
}

std::vector<std::string> list_of_expressions(Random& random) {
  std::vector<std::string> all{
      "tcp port 80",
      "udp and dst port 53",
      "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
      "ip[2:2] - ((ip[0] & 0xf) << 2) > 20",
      "vlan",
      "vlan 3 and ip",
      "vlan and vlan and port 443",
      "not vlan and not ip",
      "mpls 100 and ip",
      "ip6 and tcp",
      "len >= 80 and len % 2 = 1",
      "less 14",
      "ether[0:4] & 0xfffffff0 >= 0x80000000",
      "host 10.0.0.1 or net 192.168.0.0/28",
      "ip[8] * 3 / 2 > 90 and ip[9] ^ 6 = 0",
      "ip[6:2] & 0x1fff != 0",
      // left to libpcap's interpreter
      "ip6 protochain 6",
      "ether[ether[13] * 16777216 : 2] = 0",
      "ether[ip[0] - 70 : 4] = 0",
      "ip[0] >> ip[1] = 0",
  };
  for (int i = 0; i < 60; ++i) all.push_back(valid_expression(random));
  return all;
}

}  // namespace

TEST_CASE("each engine leaves of random traces, whole or in pieces, what tcpdump leaves, byte for byte") {
  if (!have_program("tcpdump")) {
    WARN("tcpdump is not installed");
    return;
  }
  Bed::get();
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const TempDir directory;
  const auto trace = random_traffic(random, 3000);
  write_pcap(trace, directory / "trace.pcap");
  unsigned converted = 0, left = 0;
  for (const auto& expression : list_of_expressions(random)) {
    INFO(expression);
    const auto expected = ask_tcpdump_to_filter(directory, expression);
    for (const bool convert : {true, false}) {
      const auto filter = PacketFilter::make(program_of(expression), convert);
      INFO("engine " << static_cast<int>(filter.facts().engine) << " " << filter.facts().why);
      converted += filter.facts().engine != FilterEngine::libpcap;
      left += convert && filter.facts().engine == FilterEngine::libpcap;
      for (const auto shape : {Shape::whole, Shape::chained}) {
        INFO("chained " << (shape == Shape::chained));
        write_pcap(filtered(filter, trace, shape, random), directory / "kept.pcap");
        REQUIRE(read_bytes(directory / "kept.pcap") == expected);
      }
    }
  }
  CHECK(converted >= 40);
  CHECK(left >= 4);
}

TEST_CASE("what librte_bpf cannot be trusted with is left to libpcap, and the plan is told why") {
  Bed::get();
  const auto why = [](const std::string& expression) { return PacketFilter::make(program_of(expression)).facts().why; };
  CHECK(why("tcp port 80") == "");
  CHECK(why("vlan and tcp[13] & 2 != 0") == "");
  CHECK(why("ip6 protochain 6") == "it loops");
  CHECK(why("ether[ether[13] * 16777216 : 2] = 0") == "it computes offsets that may be anywhere");
  CHECK(why("ether[ip[0] - 70 : 4] = 0") == "it computes offsets that may be anywhere");
  CHECK(why("ip[0] >> ip[1] = 0") == "it computes how far to shift");
}

TEST_CASE("no jump of the machine code lands short of the exit behind the first: each frame gets libpcap's verdict") {
  auto& bed = Bed::get();
  Random random(74521160);
  const auto trace = random_traffic(random, 500);
  for (const std::string expression :
       {"host 10.0.0.4 || ether host 02:00:00:00:00:05 and src and dst net 10.0.0.5 && dst port 8002 or (not vlan) and "
        "(tcp[13] & 2 != 0)",
        "ip6 dst net 2001:db8:0::/44 and ether host 02:00:00:00:00:07 || vlan || host 192.168.0.7",
        // a jump back by 127 or 128 bytes, until it is moved
        "vlan"}) {
    INFO(expression);
    const auto program = program_of(expression);
    const auto filter = PacketFilter::make(program);
    CHECK(filter.facts().why == "");
    for (std::size_t i = 0; i < trace.size(); ++i) {
      rte_mbuf* mbuf = mbuf_of(trace[i], 2000);
      std::uint64_t verdict = 0;
      filter.judge({&mbuf, 1, bed.pool}, &verdict, {});
      rte_pktmbuf_free(mbuf);
      REQUIRE((verdict != 0) == program.matches(trace[i]));
    }
  }
}

#if defined(__x86_64__)
TEST_CASE("machine code is refused whose jumps lie: forward where backward was meant, or into an instruction") {
  using Code = std::vector<std::uint8_t>;
  const auto padded = [](Code code, std::size_t size) {
    code.resize(size, 0xc3);
    return code;
  };
  CHECK(dpdk::jumps_land(padded({0xeb, 0x01, 0xc3, 0x31, 0xc0}, 200)));
  CHECK(dpdk::jumps_land(padded({0x75, 0x7d}, 200)));
  CHECK_FALSE(dpdk::jumps_land(padded({0x75, 0x7e}, 200)));
  CHECK_FALSE(dpdk::jumps_land(padded({0xeb, 0x7f}, 200)));
  CHECK_FALSE(dpdk::jumps_land(Code{0xeb, 0x01, 0x31, 0xc0, 0xc3}));
  CHECK_FALSE(dpdk::jumps_land(Code{0xeb, 0x05, 0xc3}));
  CHECK_FALSE(dpdk::jumps_land(Code{0x0f, 0x84, 0xfb, 0xff, 0xff, 0xff, 0xc3}));
  CHECK_FALSE(dpdk::jumps_land(Code{0xf4, 0xc3}));
  CHECK_FALSE(dpdk::jumps_land(Code{0xc7, 0xc0, 0x01}));
}
#endif

// As net_pcap does of frames over 64 KiB.
TEST_CASE("a frame whose driver claims more than it gave is judged by what is there and by the length claimed") {
  auto& bed = Bed::get();
  const Trace trace = [] {
    Random random(3);
    return random_traffic(random, 1);
  }();
  for (const bool convert : {true, false}) {
    const auto matches = [&](const std::string& expression) {
      rte_mbuf* mbuf = mbuf_of(trace[0], 2000);
      mbuf->pkt_len = 100'000;
      std::array<std::byte, 512> scratch;
      std::uint64_t verdict = 0;
      PacketFilter::make(program_of(expression), convert).judge({&mbuf, 1, nullptr}, &verdict, scratch);
      rte_pktmbuf_free(mbuf);
      return verdict != 0;
    };
    CHECK(matches("len = 100000"));
    CHECK(matches("ether[0] >= 0"));
    CHECK_FALSE(matches("ether[3000] >= 0"));
    CHECK_FALSE(matches("ether[90000:4] >= 0"));
  }
  CHECK(rte_mempool_in_use_count(bed.pool) == 0);
}
