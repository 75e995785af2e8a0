// SPDX-License-Identifier: BSD-3-Clause
#include "plan/plan_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

#include "flow/flow_table.hpp"
#include "format/bytes.hpp"
#include "format/index.hpp"
#include "plan/route.hpp"
#include "plan/words.hpp"
#include "policy/writer_shape.hpp"

namespace wirespool::plan {
namespace {

constexpr unsigned largest_cache = 512;                 // RTE_MEMPOOL_CACHE_MAX_SIZE
constexpr std::uint64_t handoff_entry_bytes = 32;       // record::PacketRef
constexpr std::uint64_t least_writer_bytes = 32 << 20;  // of Blocks: what a drive takes in some 10 ms at 3 GB/s

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

unsigned pollers_of(const CapturePlan& plan, const PlannedPort& port) {
  return static_cast<unsigned>(std::ranges::count_if(plan.rx_lcores, [&](const PlannedRxLcore& rx) {
    return std::ranges::find(rx.queues, port.id, &RxQueueRef::port) != rx.queues.end();
  }));
}

// Streams with packets of this port.
unsigned streams_of(const CapturePlan& plan, const PlannedPort& port) {
  std::set<unsigned> streams;
  for (const auto& rx : plan.rx_lcores)
    for (const auto& queue : rx.queues)
      if (queue.port == port.id) streams.insert(queue.stream);
  return static_cast<unsigned>(streams.size());
}

// The Streams of the RX lcore that has the most.
unsigned most_streams_of_an_lcore(const CapturePlan& plan) {
  std::vector<unsigned> streams(plan.rx_lcores.size());
  for (const auto& stream : plan.streams) ++streams[stream.rx];
  return std::ranges::max(streams);
}

// Four bursts, so that the pool's shared ring is touched once in several bursts; small pools get small caches, else the
// caches would hold what the queues need.
void plan_cache(const CaptureConfig& config, CapturePlan& plan) {
  plan.mempool_cache = std::clamp(4 * config.burst, 128u, largest_cache);
  if (!config.mbufs) return;
  const auto lcores = static_cast<unsigned>(plan.rx_lcores.size() + plan.writers.size());
  plan.mempool_cache = std::min(plan.mempool_cache, *config.mbufs / (4 * lcores));
}

// All the places where this port's mbufs can be at one moment: descriptors, Handoffs, caches (which hold up to one and
// a half times their size, CACHE_FLUSHTHRESH_MULTIPLIER in rte_mempool.c) and the bursts in hand. No more than that: a
// small pool stays in the CPU's caches.
unsigned mbufs_needed(const CapturePlan& plan, const PlannedPort& port) {
  const auto writers = static_cast<unsigned>(plan.writers.size());
  const unsigned pollers = pollers_of(plan, port), lcores = pollers + writers;
  const unsigned each_lcore = (3 * plan.mempool_cache + 1) / 2 + 2 * plan.burst;
  const unsigned in_handoffs = streams_of(plan, port) * writers * plan.handoff_size;
  const unsigned total = port.rx_queues * port.rx_desc + in_handoffs + lcores * each_lcore;
  return static_cast<unsigned>(round_up(total, std::max(1u, plan.mempool_cache)));
}

void check_given_mbufs(const MachinePort& machine_port, const PlannedPort& port, unsigned given, unsigned needed,
                       Findings& findings) {
  const unsigned in_queues = port.rx_queues * port.rx_desc;
  if (given < in_queues && !machine_port.file_fed) {
    findings.problems.push_back({"--mbufs",
                                 fmt::format("{} cannot fill the {} descriptors of port {}", given, in_queues, port.id),
                                 fmt::format("give {} or more, or a smaller --rx-desc", needed)});
  } else if (given < needed) {
    findings.notices.push_back(
        fmt::format("--mbufs {}: {} could be in use at once on port {}: what arrives then is lost as no_mbuf", given,
                    needed, port.id));
  }
}

void plan_pools(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings) {
  plan_cache(config, plan);
  for (auto& port : plan.ports) {
    const unsigned needed = mbufs_needed(plan, port);
    const auto found = std::ranges::find(machine.ports, port.id, &MachinePort::id);
    port.mbufs = config.mbufs.value_or(needed);
    port.keeps_trace = found->file_fed && !config.mbufs;
    if (config.mbufs) check_given_mbufs(*found, port, *config.mbufs, needed, findings);
    plan.mbuf_bytes += pool_bytes(port);
  }
}

void plan_handoffs(const CaptureConfig& config, CapturePlan& plan) {
  if (plan.writers.empty() || config.handoff == HandoffKind::blocks) return;
  const unsigned usual = plan.when_full == WhenFull::wait ? waiting_handoff : dropping_handoff;
  // The total in an RX lcore's Handoffs is about the same however many Streams it has.
  const unsigned each = usual / std::bit_ceil(most_streams_of_an_lcore(plan));
  plan.handoff_size = config.handoff_size.value_or(std::max(each, std::bit_ceil(2 * config.burst)));
  plan.handoff_bytes =
      plan.streams.size() * plan.writers.size() * (policy::ring_header_bytes + handoff_entry_bytes * plan.handoff_size);
}

policy::WriterShape shape_of(const CapturePlan& plan, std::size_t streams, std::size_t drives) {
  return {
      .streams = static_cast<std::uint32_t>(streams),
      .drives = static_cast<std::uint32_t>(drives),
      .streams_append = plan.config.handoff == HandoffKind::blocks,
      .block_bytes = plan.block_bytes,
      .snaplen = plan.config.snaplen,
      .front_bytes = policy::WriterShape::most_front_bytes(plan.config.format == FileFormat::pcapng, plan.block_bytes),
      .carry_bytes = plan.carry_bytes};
}

policy::WriterShape shape_of(const CapturePlan& plan, const PlannedWriter& writer) {
  return shape_of(plan, plan.streams.size(), writer.drives.size());
}

// To disk: open Blocks, twice the writes in flight, and enough to bridge a drive's pause. Otherwise as few as will do,
// so that they stay in the CPU's caches.
unsigned usual_blocks(const CapturePlan& plan, const PlannedWriter& writer) {
  const auto shape = shape_of(plan, writer);
  const unsigned least = shape.fewest_blocks();
  if (writer.drives.empty()) return least;
  const auto busy = shape.open_lanes() + shape.drives * plan.config.io_depth * 2;
  const auto bridge = static_cast<unsigned>((least_writer_bytes + plan.block_bytes - 1) / plan.block_bytes);
  return std::max({least, busy, bridge});
}

// --blocks: each writer's minimum, and an equal share of the rest.
void share_given_blocks(unsigned given, CapturePlan& plan, Findings& findings) {
  unsigned least = 0;
  for (const auto& writer : plan.writers) least += shape_of(plan, writer).fewest_blocks();
  if (given < least) {
    findings.problems.push_back({"--blocks",
                                 fmt::format("{} is too few for {} writer(s) fed with {} Stream(s) on {} drive(s)",
                                             given, plan.writers.size(), plan.streams.size(), plan.drives.size()),
                                 fmt::format("give {} or more, or leave it out", least)});
    return;
  }
  const auto writers = static_cast<unsigned>(plan.writers.size());
  const unsigned rest = given - least;
  for (auto& writer : plan.writers) {
    writer.blocks = shape_of(plan, writer).fewest_blocks() + rest / writers + (writer.writer < rest % writers ? 1 : 0);
  }
}

void plan_blocks(const CaptureConfig& config, CapturePlan& plan, Findings& findings) {
  plan.block_bytes = config.block_size;
  plan.carry_bytes = format::carry_capacity;
  if (!builds_blocks(route_of(config))) return;
  if (plan.writers.empty())
    for (auto& stream : plan.streams) plan.blocks += stream.blocks = shape_of(plan, 1, 0).fewest_blocks();
  for (auto& writer : plan.writers) writer.blocks = usual_blocks(plan, writer);
  if (config.blocks) share_given_blocks(*config.blocks, plan, findings);
  for (const auto& writer : plan.writers) plan.blocks += writer.blocks;
  if (config.handoff == HandoffKind::blocks)
    for (const auto& writer : plan.writers)
      plan.handoff_bytes += plan.streams.size() * policy::block_rings_bytes(writer.blocks);
  plan.blocks_bytes = plan.blocks * policy::block_stride(plan.block_bytes, plan.carry_bytes);
}

void plan_index(const CaptureConfig& config, CapturePlan& plan) {
  if (!to_drives(config) || config.index == IndexLevel::off) return;
  std::uint64_t files = 0;
  for (const auto& writer : plan.writers) files += shape_of(plan, writer).files();
  const auto entries = policy::index_rows(config.rotate_size, config.block_size, format::max_open_index_entries);
  plan.index_bytes = files * entries * sizeof(format::IndexEntry);
  if (config.index == IndexLevel::flow) plan.index_bytes += files * format::filter_bytes_of(config.rotate_size);
}

// A share for each RX lcore. The ring bridges what the writing thread may sleep or wait for its drive; a table that is
// full of flows ends few of them at once.
void plan_flows(const CaptureConfig& config, CapturePlan& plan) {
  if (!follows_flows(config)) return;
  constexpr std::uint64_t least_ring = 1024, most_ring = 16384;
  for (auto& rx : plan.rx_lcores) {
    rx.flows = (config.flow_table + plan.rx_lcores.size() - 1) / plan.rx_lcores.size();
    if (!config.flows.empty())
      rx.flow_ring = static_cast<unsigned>(std::bit_ceil(std::clamp(rx.flows / 16, least_ring, most_ring)));
    plan.flow_bytes += flow::FlowTable::bytes_needed(rx.flows);
    if (rx.flow_ring) plan.flow_bytes += flow::FlowRing::bytes_needed(rx.flow_ring);
  }
}

}  // namespace

// As rte_mempool_calc_obj_size does it: object header and mbuf (struct rte_mbuf, 128 bytes) and buffer, a whole number
// of cache lines, and that number odd so that objects start in different memory channels (arch_mem_object_align, four
// channels unless EAL is told otherwise).
std::uint64_t pool_bytes(const PlannedPort& port) {
  constexpr std::uint64_t object_header = 64, mbuf = 128, line = 64;
  auto lines = (object_header + mbuf + port.data_room + line - 1) / line;
  while (std::gcd(lines, 4ull) != 1) ++lines;
  // struct rte_mempool has a cache for each of RTE_MAX_LCORE lcores, used or not.
  constexpr std::uint64_t caches = 128ull * (2 * largest_cache * 8 + 128);
  return port.mbufs * lines * line + std::bit_ceil(port.mbufs + 1ull) * 8 + caches;
}

void plan_memory(const CaptureConfig& config, const Machine& machine, CapturePlan& plan, Findings& findings) {
  plan_handoffs(config, plan);
  plan_pools(config, machine, plan, findings);
  plan_blocks(config, plan, findings);
  plan_index(config, plan);
  plan_flows(config, plan);
}

}  // namespace wirespool::plan
