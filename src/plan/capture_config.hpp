// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/retention.hpp"

namespace wirespool::plan {

enum class OnFailure { carry_on, stop };
enum class Until { rx, handoff, block, disk };
enum class WhenFull { drop, wait, trim };
enum class HandoffKind { packets, blocks };
enum class Rss { symmetric, device, off };
enum class TimestampSource { automatic, hw, tsc };
enum class Io { uring, pwrite };
enum class IndexLevel { off, time, flow };
enum class FileFormat { pcap, pcapng };
enum class Idle { poll, adaptive };
enum class CutoffThen { headers, nothing };
enum class FlowFormat { ipfix, json };
enum class StatsOutput { automatic, console, json, none };  // automatic: console on a terminal, else json

// What was asked for: one field for each option of `wirespool capture`, unresolved. nullopt: not given, the plan
// decides.
struct CaptureConfig {
  std::vector<std::string> outputs;  // --output, as given
  Until until = Until::disk;
  std::vector<std::string> ports;              // --port: id, name or PCI address each; empty: all
  unsigned rx_queues = 1;                      // per port
  std::optional<unsigned> rx_desc;             // per queue
  unsigned burst = 64;                         // most packets of one receive call
  std::optional<unsigned> mbufs;               // --mbufs: mbufs of each port's pool
  std::optional<unsigned> mtu;                 // --mtu; nullopt: leave the device as it is
  HandoffKind handoff = HandoffKind::packets;  // --handoff: what crosses from RX to writer lcores
  std::optional<unsigned> handoff_size;        // --handoff-size: packets each Handoff holds, a power of two
  std::vector<unsigned> rx_lcores;             // --rx-lcores; empty: planned
  std::vector<unsigned> writer_lcores;
  Idle idle = Idle::poll;  // --idle: what lcores do that find nothing to do
  bool promiscuous = true;
  OnFailure on_port_failure = OnFailure::carry_on;  // --on-port-failure: carry_on with the ports that are left
  std::uint64_t port_return_ns = 2'000'000'000;  // --port-return: how long a port that was reset may take to come back
  std::optional<std::uint64_t> hole_ns;          // --hole: longer times without a packet are told
  Rss rss = Rss::symmetric;
  TimestampSource timestamp = TimestampSource::automatic;
  std::uint32_t snaplen = 262144;
  std::string slice;   // --slice: see format::slice_of(); empty: off
  std::string filter;  // --filter: a pcap-filter(7) expression; empty: none
  std::string name = "wirespool";
  std::uint64_t rotate_size = 4ull << 30;
  std::uint64_t rotate_age_ns = 60'000'000'000;
  std::uint64_t block_size = 1 << 20;
  std::optional<unsigned> blocks;  // whole capture
  Io io = Io::uring;
  unsigned io_depth = 8;  // --io-depth: writes in flight per drive and writer
  std::uint64_t flush_age_ns = 1'000'000'000;
  OnFailure on_drive_failure = OnFailure::carry_on;  // --on-drive-failure: carry_on with the drives that are left
  std::uint64_t sync_age_ns = 1'000'000'000;         // --sync-age: how often open files are synced; 0: only when sealed
  std::optional<WhenFull> when_full;                 // nullopt: wait if every port is fed from a file, else drop
  FileFormat format = FileFormat::pcap;
  IndexLevel index = IndexLevel::time;
  bool checksum = true;                                // --checksum: of every Block, in the index
  std::optional<std::uint64_t> cutoff;                 // --cutoff: frame bytes of each flow that are kept whole
  CutoffThen cutoff_then = CutoffThen::headers;        // --cutoff-then: what is kept of the packets behind
  std::string flows;                                   // --flows: the directory of flow records; empty: none
  FlowFormat flow_format = FlowFormat::ipfix;          // --flow-format
  std::uint64_t flow_active_ns = 60'000'000'000;       // --flow-active: a record ends after this, its flow goes on
  std::uint64_t flow_idle_ns = 15'000'000'000;         // --flow-idle: a flow ends that was silent for this long
  std::uint64_t flow_table = 1 << 20;                  // --flow-table: flows remembered at once, of the whole capture
  std::uint64_t ledger_size = 1ull << 30;              // --ledger-size: most bytes of a directory's ledger
  std::optional<policy::Share> retain_free;            // --retain-free: how much of each drive's file system stays free
  std::optional<std::uint64_t> retain_size;            // --retain-size: most bytes of sealed files on each drive
  std::optional<std::uint64_t> retain_age_ns;          // --retain-age: most time since a file's last packet
  std::vector<std::string> archives;                   // --archive: where sealed files go when the drives are calm
  std::string on_seal;                                 // --on-seal: a command for each sealed file; empty: none
  std::uint64_t on_seal_timeout_ns = 600'000'000'000;  // the longest run of it
  std::uint64_t on_seal_linger_ns = 30'000'000'000;    // how long an ending capture waits for it
  std::uint64_t stop_timeout_ns = 10'000'000'000;      // --stop-timeout: the longest a stop takes, whatever hangs
  std::optional<std::uint64_t> duration_ns;
  std::optional<std::uint64_t> packets;
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> idle_exit_ns;
  StatsOutput stats = StatsOutput::automatic;
  std::uint64_t stats_interval_ns = 1'000'000'000;
  std::string metrics;  // --metrics: where to serve them, "127.0.0.1:9100"; empty: nowhere
  std::string serve;    // --serve: where to answer queries of what is captured; empty: nowhere
  std::string user;     // --user: who to become once everything is open; empty: nobody else
  bool dry_run = false;
  bool strict = false;
};

}  // namespace wirespool::plan
