// SPDX-License-Identifier: BSD-3-Clause
//
// The data path of one packet, from the receive call to the Block, on one CPU, for callgrind to count:
// bench/instructions.sh Packets of a trace's lengths are put on a net_ring port, whose driver does next to nothing, and
// go through the RxLcore, a Handoff and a PacketIntake with an Appender, or through an RxLcore that builds Blocks
// itself; Blocks end unwritten. Prints what was counted under which name and how many packets that were;
// valgrind(1) writes the counts.
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/block_handoff.hpp"
#include "capture/counted.hpp"
#include "capture/filter_outlet.hpp"
#include "capture/flow_outlet.hpp"
#include "capture/packet_handoff.hpp"
#include "capture/rx_lcore.hpp"
#include "dpdk/clock.hpp"
#include "dpdk/packet_filter.hpp"
#include "flow/flow_table.hpp"
#include "record/block_keys.hpp"
#include "record/recorder.hpp"
#include "support/trace.hpp"

namespace {

using namespace wirespool;
using namespace wirespool::capture;
using namespace wirespool::dpdk;

constexpr unsigned round_packets = 1024;
constexpr unsigned rounds = 40;
constexpr unsigned burst = 64;
constexpr std::uint32_t block_bytes = 1 << 20;
constexpr const char* filter_asked = "udp[0:2] >= 1024 and ip[15] & 1 = 0";

void start_eal() {
  static std::vector<std::string> words{"data_path",   "--no-huge",   "--no-pci", "-m", "64", "--no-telemetry",
                                        "--no-shconf", "--log-level", "error",    "-l", "0"};
  static std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) throw std::runtime_error("EAL does not start");
}

// A port that receives what was put into its ring.
class Wire {
 public:
  Wire() : field_(StampField::registered()) {
    pool_ = rte_pktmbuf_pool_create("pool", 4095, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    ring_ = rte_ring_create("wire", 2 * round_packets, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (!pool_ || !ring_) throw std::runtime_error("no memory for mbufs");
    port_ = static_cast<std::uint16_t>(rte_eth_from_rings("net_ring_wire", &ring_, 1, &ring_, 1, SOCKET_ID_ANY));
    const rte_eth_conf configuration{};
    const bool started = rte_eth_dev_configure(port_, 1, 1, &configuration) == 0 &&
                         rte_eth_rx_queue_setup(port_, 0, round_packets, SOCKET_ID_ANY, nullptr, pool_) == 0 &&
                         rte_eth_tx_queue_setup(port_, 0, round_packets, SOCKET_ID_ANY, nullptr) == 0 &&
                         rte_eth_dev_start(port_) == 0;
    if (!started) throw std::runtime_error("the port does not start");
  }

  void put(const test::Trace& trace) {
    std::vector<rte_mbuf*> mbufs(round_packets);
    if (rte_pktmbuf_alloc_bulk(pool_, mbufs.data(), round_packets) != 0) throw std::runtime_error("an mbuf was lost");
    for (auto* mbuf : mbufs) {
      const auto bytes = trace[at_++ % trace.size()].bytes;
      std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size())), bytes.data(), bytes.size());
      if (rte_ring_enqueue(ring_, mbuf) != 0) throw std::runtime_error("the wire is full");
    }
  }

  std::uint16_t port() const { return port_; }
  rte_mempool* pool() const { return pool_; }
  StampField field() const { return field_; }
  Referrer referrer(std::optional<format::Slice> slice = {}) const { return {field_, record::max_snaplen, slice}; }

 private:
  StampField field_;
  rte_mempool* pool_ = nullptr;
  rte_ring* ring_ = nullptr;
  std::uint16_t port_ = 0;
  std::size_t at_ = 0;
};

// A Recorder without drives, and its memory.
class Line {
 public:
  explicit Line(const format::FileLayout& layout)
      : memory_(record::BlockPool::bytes_needed(3, block_bytes) + 4096),
        recorder_({.layout = &layout, .block_bytes = block_bytes, .copy_chain = copy_chain}, {},
                  {{.memory = aligned()}}) {}

  record::Appender& appender() { return recorder_.writer(0).appender(0); }
  record::BlockSink& sink() { return recorder_.writer(0).sink(); }

 private:
  std::span<std::byte> aligned() {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory_.data());
    const auto skip = (4096 - begin % 4096) % 4096;
    return std::span(memory_).subspan(skip, memory_.size() - 4096);
  }

  std::vector<std::byte> memory_;
  record::Recorder recorder_;
};

// An outlet that outlives many runs of the RxLcore: not told that nothing comes after.
class Unending final : public Outlet {
 public:
  explicit Unending(Outlet& outlet) : outlet_(outlet) {}
  void deliver(const Received& received) noexcept override { outlet_.deliver(received); }

 private:
  Outlet& outlet_;
};

// An RxLcore that is told to stop before it starts: each run() empties the port once.
class Receiver {
 public:
  Receiver(const Wire& wire, Outlet& outlet, stats::RxCounters& counters) : outlet_(outlet) {
    publish_slowed();
    stop_.stop();
    lcore_ = std::make_unique<RxLcore>(RxLcoreSetup{
        .queues =
            {{.port = wire.port(), .descriptors = round_packets, .counters = &queue_counters_, .outlet = &outlet_}},
        .burst = burst,
        .stamp_field = wire.field(),
        .tsc_clock = &line_,
        .stop = &stop_,
        .counters = &counters,
    });
  }

  void run() { lcore_->run(); }

 private:
  // Under callgrind a Burst takes about 100 us, many times what it takes otherwise: so packets are stamped by a clock
  // that is slower, or what is done once in a while (QueuePeaks) would be done for every Burst here.
  void publish_slowed() {
    policy::SharedClock clock;
    tsc_->publish_to(clock);
    policy::ClockLine line;
    std::uint32_t version = 0;
    clock.refresh(line, version);
    line.ns_per_tick_q32 /= 1024;
    line_.publish(line);
  }

  Unending outlet_;
  std::optional<DisciplinedClock> tsc_ = DisciplinedClock::of_tsc();
  policy::SharedClock line_;
  StopFlag stop_;
  RxQueueCounters queue_counters_;
  std::unique_ptr<RxLcore> lcore_;
};

// Counts what `step` executes, over all rounds; `before` and `after` each are not counted. The first round warms up:
// what happens once (lazy binding of shared libraries, first Blocks) is nobody's cost per packet.
template <typename Before, typename Step, typename After>
void count(const std::string& name, Before before, Step step, After after, unsigned packets = round_packets) {
  for (unsigned round = 0; round <= rounds; ++round) {
    before();
    if (round) CALLGRIND_TOGGLE_COLLECT;
    step();
    if (round) CALLGRIND_TOGGLE_COLLECT;
    after();
  }
  CALLGRIND_DUMP_STATS_AT(name.c_str());
  std::printf("%s\t%u\n", name.c_str(), rounds * packets);
}

// What files are, and what is said of sources if they tell them.
struct Files {
  explicit Files(format::FileLayout files) : layout(std::move(files)), mail(layout.sources()), losses(mail) {}
  SourceLosses* told() { return layout.tells_sources() ? &losses : nullptr; }

  format::FileLayout layout;
  std::vector<LossMail> mail;
  SourceLosses losses;
};

void packets_cross(Wire& wire, const test::Trace& trace, const std::string& frames, Files& files) {
  auto handoff = Handoff::create("handoff " + frames, 2 * round_packets, SOCKET_ID_ANY);
  if (!handoff) throw std::runtime_error(handoff.error());
  stats::RxCounters received;
  stats::WriterCounters written;
  if (files.told()) handoff->take_notes();
  Counted outlet(received, DroppingPacketOutlet({.handoffs = {&*handoff},
                                                 .pool = wire.pool(),
                                                 .referrer = wire.referrer(),
                                                 .counters = received,
                                                 .losses = files.told()}));
  Receiver receiver(wire, outlet, received);
  Line line(files.layout);
  PacketIntake intake({.handoff = &*handoff,
                       .pool = wire.pool(),
                       .appender = &line.appender(),
                       .sink = &line.sink(),
                       .counters = &written});
  const auto put = [&] { wire.put(trace); };
  const auto receive = [&] { receiver.run(); };
  const auto write = [&] {
    while (!intake.empty()) intake.serve();
  };
  const auto nothing = [] {};
  count("packets: rx lcore, " + frames, put, receive, write);
  count(
      "packets: writer lcore, " + frames, [&] { put(), receive(); }, write, nothing);
  line.appender().finish();
}

void blocks_cross(Wire& wire, const test::Trace& trace, const std::string& frames, Files& files) {
  stats::RxCounters received;
  Line line(files.layout);
  Counted outlet(received, BlockOutlet({.appenders = {&line.appender()},
                                        .drives = {},
                                        .referrer = wire.referrer(),
                                        .counters = &received,
                                        .losses = files.told()}));
  Receiver receiver(wire, outlet, received);
  count(
      "blocks: rx lcore, " + frames, [&] { wire.put(trace); }, [&] { receiver.run(); }, [] {});
  line.appender().finish();
}

// A full Block, on its way to a drive.
class FullBlock {
 public:
  explicit FullBlock(const test::Trace& trace) : memory_(block_bytes + format::carry_capacity) {
    std::size_t length = format::PcapRecords::file_header_bytes;
    format::PcapRecords::Pen pen(memory_.data() + length, {});
    for (;; ++packets_) {
      const auto frame = trace[packets_ % trace.size()].bytes;
      const auto caplen = static_cast<std::uint32_t>(frame.size());
      if (length + format::PcapRecords::bytes_of(caplen) > block_bytes) break;
      pen.put({Timestamp{packets_}, caplen, caplen}, frame.data());
      length += format::PcapRecords::bytes_of(caplen);
    }
    block_.data = memory_.data();
    block_.capacity = block_.length = static_cast<std::uint32_t>(length);
    block_.starts = packets_;
    block_.first_start = format::PcapRecords::file_header_bytes;
  }

  unsigned packets() const { return packets_; }
  record::Block& block() { return block_; }

 private:
  std::vector<std::byte> memory_;
  record::Block block_;
  unsigned packets_ = 0;
};

// What the writer lcore does for the checksum of a full Block, and for its row in an index of flows.
void blocks_told_of(const test::Trace& trace, const std::string& frames) {
  FullBlock full(trace);
  auto& block = full.block();
  const auto nothing = [] {};
  count(
      "checksums: writer lcore, " + frames, nothing, [&] { block.sum_up(); }, nothing, full.packets());
  const format::FileLayout layout;
  record::BlockKeys keys(layout);
  record::IndexRows rows;
  rows.take_memory(16, format::filter_bytes_of(1 << 30), false);
  count(
      "index flow: writer lcore, " + frames, nothing,
      [&] {
        keys.begin_row(block);
        keys.end_row(rows);
      },
      [&] { rows.clear(); }, full.packets());
}

// The RX lcore alone: what a filter adds is counted against it.
void received_only(Wire& wire, const test::Trace& trace, const std::string& frames) {
  stats::RxCounters received;
  Counted outlet(received, NoOutlet(received));
  Receiver receiver(wire, outlet, received);
  count(
      "until rx, " + frames, [&] { wire.put(trace); }, [&] { receiver.run(); }, [] {});
}

// Half of the frames match bench/instructions' filter; tcpdump is asked for the same one.
void filtered(Wire& wire, const test::Trace& trace, const std::string& frames, bool convert) {
  const auto program = filter::Program::compile(filter_asked, 1);
  if (!program) throw std::runtime_error(program.error().message());
  const auto filter = PacketFilter::make(*program, convert);
  stats::RxCounters received;
  Counted end(received, NoOutlet(received));
  FilterOutlet outlet(end, filter, received);
  Receiver receiver(wire, outlet, received);
  count(
      std::string("until rx, --filter by ") + (convert ? "librte_bpf, " : "libpcap, ") + frames,
      [&] { wire.put(trace); }, [&] { receiver.run(); }, [] {});
}

void sliced(Wire& wire, const test::Trace& trace, const std::string& frames) {
  auto handoff = Handoff::create("sliced " + frames, 2 * round_packets, SOCKET_ID_ANY);
  if (!handoff) throw std::runtime_error(handoff.error());
  stats::RxCounters received;
  const format::Slice l4{.layer = format::Layer::l4};
  Counted outlet(
      received,
      DroppingPacketOutlet(
          {.handoffs = {&*handoff}, .pool = wire.pool(), .referrer = wire.referrer(l4), .counters = received}));
  Receiver receiver(wire, outlet, received);
  const auto take = [&] {
    for (auto refs = handoff->peek(burst); !refs.first.empty(); refs = handoff->peek(burst)) {
      const auto all = refs.first.size() + refs.second.size();
      free_packets(refs.first.data(), static_cast<unsigned>(refs.first.size()), wire.pool());
      free_packets(refs.second.data(), static_cast<unsigned>(refs.second.size()), wire.pool());
      handoff->consume(all);
    }
  };
  count(
      "packets: rx lcore, --slice l4, " + frames, [&] { wire.put(trace); }, [&] { receiver.run(); }, take);
}

// A table that has room for all flows of the trace, without the thread that writes records.
void flows_followed(Wire& wire, const test::Trace& trace, const std::string& frames) {
  constexpr std::uint64_t flows = 16384;
  const auto bytes = flow::FlowTable::bytes_needed(flows);
  const std::unique_ptr<void, decltype(&rte_free)> memory(rte_zmalloc("flows", bytes, RTE_CACHE_LINE_SIZE), rte_free);
  if (!memory) throw std::runtime_error("no memory for a table of flows");
  flow::FlowTable table({static_cast<std::byte*>(memory.get()), bytes}, {.flows = flows}, nullptr);
  stats::RxCounters received;
  Counted end(received, NoOutlet(received));
  FlowOutlet outlet(end, {.table = &table, .fields = wire.field(), .cutoff = {}}, received);
  Receiver receiver(wire, outlet, received);
  count(
      "until rx, --flows, " + frames, [&] { wire.put(trace); }, [&] { receiver.run(); }, [] {});
}

}  // namespace

int main() try {
  start_eal();
  Wire wire;
  for (const auto& [frames, kind] : {std::pair{"64 B", "60"}, std::pair{"CAIDA-like", "caida"}}) {
    const auto trace = test::make_trace({.kind = kind, .packets = 4000});
    Files pcap{format::FileLayout()}, pcapng{format::FileLayout(format::PcapngRecords(), 1)};
    packets_cross(wire, trace, frames, pcap);
    blocks_cross(wire, trace, frames, pcap);
    packets_cross(wire, trace, frames + std::string(", pcapng"), pcapng);
    blocks_cross(wire, trace, frames + std::string(", pcapng"), pcapng);
    blocks_told_of(trace, frames);
    received_only(wire, trace, frames);
    filtered(wire, trace, frames, true);
    filtered(wire, trace, frames, false);
    sliced(wire, trace, frames);
    flows_followed(wire, trace, frames);
  }
  rte_eal_cleanup();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "data_path: %s\n", error.what());
  return 1;
}
