// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/capture_plan.hpp"
#include "plan/nic_limits.hpp"

namespace wirespool::plan {

// How long the frames of a link are: each length with its share of all packets; shares add up to 1. Lengths are those
// on the wire with FCS, as data sheets give them: 64 to 9728.
struct MixPart {
  unsigned frame_bytes = 64;
  double share = 1;
};
struct TrafficMix {
  std::string name;
  std::vector<MixPart> parts;
};

// "imix" (64, 594 and 1518 bytes as 7:4:1), "caida" (as public traces of backbone links: 41 % short, 42 % full, mean
// near 780), one length ("1518"), or lengths with their weights ("64:7,594:4,1518:1").
std::expected<TrafficMix, std::string> parse_mix(std::string_view text);

double mean_bytes(const TrafficMix& mix);  // of a frame, with FCS
double wire_bytes(const TrafficMix& mix);  // of an average frame and what is around it

// The measured rate of one lcore for frames of one length.
struct RatePoint {
  double frame_bytes = 0;  // with FCS
  double mpps = 0;
};
using RateCurve = std::vector<RatePoint>;  // by length, ascending

// Where the frames of a measurement were: distinct ones of a few MB stay in the cache, and nothing that comes from a
// NIC as fast as that does. 64 MiB of distinct frames are called memory.
enum class Regime { cached, memory, not_known };
constexpr double memory_regime_bytes = 64.0 * 1024 * 1024;

// One lcore's rates at each of its jobs, with bench/run.sh: `wirespool capture --until STAGE` from net_pcap.
struct StageRates {
  std::string measured_on;  // processor, date
  RateCurve receive;        // RX lcore, --handoff packets: receive, stamp, hand over
  RateCurve build;          // writer lcore, --handoff packets: take over, copy into Blocks
  RateCurve receive_build;  // RX lcore, --handoff blocks: both
  Regime regime = Regime::not_known;
};

// From a quiet run of bench/run.sh, on the machine named in `measured_on`.
StageRates published_rates();

// From the results.json that bench/run.sh leaves: the medians of each stage for traces with frames of one length.
std::expected<StageRates, std::string> read_rates(std::string_view json);

// Mpps of one lcore with this mix: the times of packets of each length, linear between measured lengths and beyond the
// last, averaged by share.
double mpps_of(const RateCurve& curve, const TrafficMix& mix);

// What the capture has to carry: the input of `wirespool plan`.
struct Demand {
  std::uint64_t bits_per_s = 0;  // of all ports together, as links are named: with preamble and gap
  TrafficMix mix;
  unsigned ports = 1;
  HandoffKind handoff = HandoffKind::packets;
  std::uint32_t snaplen = 262144;
  std::uint64_t drive_bytes_per_s = 2'000'000'000;  // what one drive takes for hours
  std::uint64_t stall_ns = 250'000'000;             // the longest that all drives may pause without loss
  unsigned load_percent = 80;                       // the part of the measured rates to plan with
  unsigned spare_drives = 1;
  const NicFamily* nic = nullptr;                        // nullptr: nothing is said of the NIC
  unsigned cards = 1;                                    // that share the ports
  std::optional<PcieSlot> pcie = {};                     // of each card, where it is not what the family has
  std::optional<std::uint64_t> memory_bytes_per_s = {};  // that the machine's memory moves, both ways together
  // What is on, as a capture has it by default.
  bool checksum = true, filter = false, slice = false, flows = false;
  IndexLevel index = IndexLevel::time;
  FileFormat format = FileFormat::pcap;
  Idle idle = Idle::poll;
  std::optional<unsigned> rx_desc = {};
};

// Where a number comes from: each may be believed for what it is.
enum class Origin { measured, published, computed, not_known };
std::string_view word(Origin origin);

// What holds packets up, and from how many a second on with this mix.
struct Limit {
  std::string of;                   // "NIC packet rate"
  std::optional<double> mpps = {};  // nullopt: not known
  Origin origin = Origin::not_known;
  std::string source = {}, date = {};  // where it was measured, or the document; with what is not known, why
};

// Limits of the machine between the link and the lcores, of all its cards together; and of one RX queue with its lcore.
struct Limits {
  std::vector<Limit> machine, queue;
};

// What one thing that is on costs one lcore for each packet of this mix.
struct Feature {
  std::string option;  // "--index flow"
  bool on_rx = false;  // else the writer lcore
  double instructions = 0, ns = 0;
  Origin origin = Origin::computed;  // of `ns`; instructions are always counted
  std::string source = {};
};

// What each lcore takes of a CPU, in percent; nullopt: nobody measured it.
struct CpuTime {
  std::optional<double> idle_rx_percent = {}, idle_writer_percent = {};  // while nothing comes
  std::optional<double> busy_percent = {};                               // while packets come as planned
  std::uint64_t ring_ns = 0;                                             // that an RX ring lasts at line rate
  std::uint64_t rx_sleep_ns = 0, writer_sleep_ns = 0;                    // the longest
};

// What that needs. The plan is the one that `wirespool capture` would make on such a machine.
struct Sizing {
  double mpps = 0;           // offered
  double received_mpps = 0;  // of these, what the machine's limits let through: lcores and drives are for them
  Limits limits;
  std::string limited_by;         // the machine's limit that is less than what is offered; empty: none is known to be
  double memory_bytes_per_s = 0;  // that moves if nothing of it stays in a cache
  double stored_bytes_per_s = 0;  // with record headers
  double rx_mpps = 0;             // of one RX lcore, fully used
  double writer_mpps = 0;         // of one writer lcore; 0: writer lcores only write (--handoff blocks)
  std::vector<Feature> features;  // what is on
  double rx_with_features_mpps = 0, writer_with_features_mpps = 0;  // the same with that; for writers with their I/O
  CpuTime cpu;
  CapturePlan plan;
};

std::expected<Sizing, std::vector<Error>> size_capture(const Demand& demand, const StageRates& rates);

// Frame bytes of a mix that are kept, with their record header: of an average packet.
double kept_bytes(const Demand& demand);

// Bytes of memory that an average packet moves at most: its NIC writes it, an lcore copies it into a Block (which is
// read into the cache, changed, and written back), and a drive reads that.
double memory_bytes(const Demand& demand);

// What is on, and what all of it costs an RX or a writer lcore.
std::vector<Feature> features_of(const Demand& demand, const StageRates& rates);
double ns_of(const std::vector<Feature>& features, bool on_rx);

// The link of one port, as if it carried its share of the rate and no more.
std::uint64_t port_mbits(const Demand& demand);

CpuTime cpu_time(const Demand& demand, const CapturePlan& plan);
constexpr std::string_view idle_measured =
    "README, Idle lcores, a guest with two virtual CPUs of an Intel Xeon: rings that last no longer than these; 1 "
    "Gbit/s "
    "of CAIDA-like took 10 % (receive) and 17 % (write) with 16384 frames of ring";

// `rx_mpps`: what one RX lcore can do.
Limits limits_of(const Demand& demand, const StageRates& rates, double rx_mpps);

// The least of them that is known.
const Limit* least_of(const std::vector<Limit>& limits);

// The command line of the capture that was planned, and how many lcores it names.
std::string command_of(const Demand& demand, const CapturePlan& plan);
unsigned plan_lcores(const CapturePlan& plan);

// For people, and for programs.
std::string describe(const Demand& demand, const StageRates& rates, const Sizing& sizing);
std::string to_json(const Demand& demand, const StageRates& rates, const Sizing& sizing);

}  // namespace wirespool::plan
