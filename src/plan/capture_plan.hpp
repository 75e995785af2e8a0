// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "plan/capture_config.hpp"
#include "plan/machine.hpp"
#include "policy/idle_pace.hpp"
#include "policy/retention.hpp"
#include "wirespool/error.hpp"

namespace wirespool::plan {

struct RxQueueRef {
  unsigned port = 0;  // port id
  unsigned queue = 0;
  unsigned stream = 0;  // which of CapturePlan::streams its packets go into
  bool operator==(const RxQueueRef&) const = default;
};

struct PlannedPort {
  unsigned id = 0;
  std::string name, driver;
  int numa_node = -1;
  unsigned rx_queues = 1;
  unsigned tx_queues = 0;  // in a capture 1 if the driver needs one to start; never used
  unsigned tx_desc = 512;
  bool sends = false;  // its TX queues are used, so a device must grant them; false in a capture
  unsigned rx_desc = 0;
  unsigned mtu = 1500;
  bool set_mtu = false;    // --mtu was given
  unsigned data_room = 0;  // bytes of an mbuf's buffer, headroom included
  bool scatter = false;
  bool hw_timestamp = false;
  bool needs_nic_clock = false;  // --timestamp hw: no other clock will do
  bool promiscuous = true;
  std::uint64_t rss_functions = 0;  // 0: no RSS
  bool symmetric_key = false;
  unsigned cut_at = 0;       // MachinePort::cut_at
  unsigned mbufs = 0;        // in this port's pool
  bool keeps_trace = false;  // the driver replays a trace from mbufs of this pool, which come on top
};

// How an lcore sleeps that finds nothing to do (--idle adaptive): see policy::IdlePace.
struct PlannedIdle {
  std::uint64_t longest_ns = 0;  // a sleep; 0: it polls
  std::uint64_t quiet_ns = policy::idle_quiet_ns;
  std::uint64_t plenty = 0;  // packets found after a sleep that mean load; 0: nothing does
  std::string because = {};  // what fills up meanwhile, how fast
  bool operator==(const PlannedIdle&) const = default;
};

struct PlannedRxLcore {
  unsigned lcore = 0;
  int numa_node = -1;
  std::vector<RxQueueRef> queues;  // polled in this order
  std::uint64_t flows = 0;         // that its table is made for; 0: there is none
  unsigned flow_ring = 0;          // records between it and the thread that writes them; 0: nobody does
  PlannedIdle idle = {};           // with no packet to receive
  PlannedIdle waiting = {};        // with no room for those it has (--when-full wait)
};

// The packets that one RX lcore hands to each writer, in the order of their stamps. All its queues share one Stream,
// except that each queue with NIC stamps has its own: stamps of two such queues can only be ordered by the time of the
// poll.
struct PlannedStream {
  unsigned rx = 0;      // which of CapturePlan::rx_lcores
  unsigned blocks = 0;  // of its own, with --handoff blocks --until block
  bool operator==(const PlannedStream&) const = default;
};

struct PlannedWriter {
  unsigned lcore = 0;
  int numa_node = -1;
  unsigned writer = 0;           // the WW of its files
  std::vector<unsigned> drives;  // indices into CapturePlan::drives; empty unless --until disk
  unsigned blocks = 0;           // of its own pool; those of all writers add up to CapturePlan::blocks
  PlannedIdle idle = {};
};

struct PlannedDrive {
  std::string path, real_path, device_name, file_system;
  int numa_node = -1;
  std::uint32_t block_bytes = 512;  // O_DIRECT unit
  bool direct_io = true;
};

// Everything decided, frozen before the first packet. Sizes in bytes.
struct CapturePlan {
  CaptureConfig config;  // as asked, for what needs no decision
  WhenFull when_full = WhenFull::drop;
  unsigned main_lcore = 0;
  std::vector<PlannedPort> ports;
  std::vector<PlannedRxLcore> rx_lcores;
  std::vector<PlannedStream> streams;   // by RX lcore
  std::vector<PlannedWriter> writers;   // empty for --until rx
  std::vector<PlannedDrive> drives;     // empty unless --until disk
  std::optional<MachineFilter> filter;  // what runs --filter
  unsigned burst = 64;
  unsigned handoff_size = 0;   // packets, each of streams x writers rings
  unsigned mempool_cache = 0;  // mbufs an lcore keeps
  unsigned blocks = 0;         // whole capture
  std::uint64_t block_bytes = 0;
  std::uint64_t carry_bytes = 0;    // in front of each Block, see format::carry_capacity
  std::uint64_t mbuf_bytes = 0;     // all pools
  std::uint64_t handoff_bytes = 0;  // all rings
  std::uint64_t blocks_bytes = 0;   // all Blocks with their carry areas
  std::uint64_t flow_bytes = 0;     // all tables of flows and their rings
  std::uint64_t index_bytes = 0;    // sidecar entries held for open files
  std::uint64_t hugepage_bytes() const { return mbuf_bytes + handoff_bytes + blocks_bytes + flow_bytes; }
  std::uint64_t total_bytes() const { return hugepage_bytes() + index_bytes; }
  std::vector<std::string> notices;  // what was clamped or left out, one line each
};

// The limits on what is kept, as asked for.
policy::RetainLimits limits_of(const CaptureConfig& config);

// All problems that can be known from the configuration alone.
std::vector<Error> validate(const CaptureConfig& config);

// Plans the capture; validate() must have found nothing wrong with `config`. Pure: same input, same plan. Returns all
// problems at once.
std::expected<CapturePlan, std::vector<Error>> make_plan(const CaptureConfig& config, const Machine& machine);

// The plan as the devices and the kernel allowed it: `granted` are its ports, in its order, with what each was granted;
// `io` is what writes. Queues that a port did not grant are polled by no lcore.
CapturePlan in_effect(CapturePlan plan, std::vector<PlannedPort> granted, Io io);

// For people: --dry-run and the start of a capture.
std::string describe(const CapturePlan& plan);
// The `plan` member of capture.json.
std::string to_json(const CapturePlan& plan);

}  // namespace wirespool::plan
