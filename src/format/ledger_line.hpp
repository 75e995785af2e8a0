// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// A line of the ledger: STEM-<start>.ledger.jsonl, `--stats json`, and `ledger` in capture.json. README.md has the
// layout with a worked example; what each counter means is in stats/README.md.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/json_fields.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// What one RxQueue of a port delivered.
struct QueueLine {
  unsigned queue = 0;
  std::uint64_t received = 0, received_bytes = 0;
  OtherFields others = {};

  bool operator==(const QueueLine&) const = default;
};

// The most that a port received within any window of one length since the line before: not necessarily both at once.
struct PeakLine {
  std::uint64_t window_ns = 0, packets = 0, bytes = 0;
  OtherFields others = {};

  bool operator==(const PeakLine&) const = default;
};

// A time in which nothing came.
struct HoleLine {
  Timestamp from, to;
  OtherFields others = {};

  bool operator==(const HoleLine&) const = default;
};

// Times longer than --hole in which a port received nothing, from one packet to the next.
struct HolesLine {
  std::uint64_t count = 0, total_ns = 0;  // since the start
  std::uint64_t longest_ns = 0;           // of those that ended since the line before
  std::uint64_t open_ns = 0;              // how long nothing has come now, if that is longer than --hole; else 0
  std::vector<HoleLine> latest = {};      // that ended since the line before: the last 16
  OtherFields others = {};

  bool operator==(const HolesLine&) const = default;
};

struct PortLine {
  unsigned port = 0;
  std::string name;
  std::uint64_t received = 0, received_bytes = 0;
  // Frames that were lost before they were received; nullopt: nothing counts them here, and not_counted says why.
  std::optional<std::uint64_t> nic_missed = 0;  // the device had no free descriptor
  std::optional<std::uint64_t> nic_errors = 0;  // the device refused the frame
  std::optional<std::uint64_t> no_mbuf = 0;     // the driver found no free mbuf
  // Only where there is such a counter.
  std::optional<std::uint64_t> nic_other = {};       // lost in the device, by counters of this driver only
  std::optional<std::uint64_t> refills_failed = {};  // attempts of the driver to refill its ring: no packets
  std::optional<std::uint64_t> stamps_refused = {};  // the NIC's, that cannot be right: the poll's time was used
  std::optional<std::uint64_t> cut_by_driver = {};   // stored without their end, which the driver left out
  std::vector<std::pair<std::string, std::string>> not_counted = {};  // which counter, and why
  bool stats_failed = false;  // the device did not answer: the counters are from the last time it did
  std::vector<std::pair<std::string, std::uint64_t>> xstats = {};  // at the end: others that sound like a loss
  std::vector<PeakLine> peaks = {};                                // by window; 0.2.0 did not write them
  std::optional<HolesLine> holes = {};                             // with --hole only
  std::vector<QueueLine> queues = {};  // they add up to received and received_bytes; 0.2.0 did not write them
  OtherFields others = {};

  bool operator==(const PortLine&) const = default;
};

// A time in which a port delivered nothing because it had been reset.
struct GapLine {
  unsigned port = 0;
  Timestamp from;
  std::optional<Timestamp> to;  // nullopt: it is not back yet
  std::string why;
  OtherFields others = {};

  bool operator==(const GapLine&) const = default;
};

// A time in which a drive took no Blocks because it was full or had failed.
struct AwayLine {
  Timestamp from;
  std::optional<Timestamp> to;  // nullopt: it is not back yet
  std::string why;
  OtherFields others = {};

  bool operator==(const AwayLine&) const = default;
};

struct Totals {
  std::uint64_t received = 0, received_bytes = 0;
  std::uint64_t ended_early = 0;  // --until; 0.1.0 wrote it as `filtered`
  std::uint64_t filtered = 0;     // --filter
  std::uint64_t cut = 0;          // --cutoff-then nothing; 0.1.0 had no cutoff
  std::uint64_t stored = 0, stored_bytes = 0;
  std::uint64_t sliced = 0;   // without payload: --slice; 0.2.0 did not write it
  std::uint64_t trimmed = 0;  // without payload: --when-full trim
  std::uint64_t drop_handoff = 0, drop_drive = 0;
  std::int64_t in_flight = 0;
  std::optional<std::uint64_t> lost = {};  // 0.1.0 did not write it
  std::uint64_t beyond_limit = 0, rehomed = 0;
  std::optional<std::uint64_t> headers_only = {};  // --cutoff-then headers; with --cutoff only
  OtherFields others = {};

  bool operator==(const Totals&) const = default;
};

// One stage of the way from port to drive: what is in it, and what should be but is not.
struct StageLine {
  std::string stage;             // rx handoff writer
  std::string unit = "packets";  // or messages: Blocks and tails of --handoff blocks
  std::int64_t in_flight = 0;    // there
  std::int64_t imbalance = 0;    // came in, did not go out, and is not there; negative: too much is there
  std::string where = {};        // the first place with an imbalance
  OtherFields others = {};

  bool operator==(const StageLine&) const = default;
};

struct WriteLatency {
  std::uint64_t p50 = 0, p99 = 0, max = 0;  // ns
  OtherFields others = {};

  bool operator==(const WriteLatency&) const = default;
};

// A histogram of how long writes took, and their sum: counts[i] took less than 2^(first_bits + i) ns and at least half
// of that; the first one counts all that were faster. Zeros at the end are left out.
struct WriteDurations {
  static constexpr unsigned first_bits = 14, last_bits = 34;  // 16 us, 17 s; one more for whatever took longer
  std::uint64_t sum_ns = 0;
  std::vector<std::uint64_t> counts = {};
  OtherFields others = {};

  bool operator==(const WriteDurations&) const = default;
};

// What retention removed from a drive, of this capture and of earlier ones.
struct RemovedLine {
  std::uint64_t files = 0, packets = 0, bytes = 0;  // bytes of packets
  OtherFields others = {};

  bool operator==(const RemovedLine&) const = default;
};

struct DriveLine {
  std::string path;
  std::string state;     // ok full failed
  std::string why = {};  // what the drive said, if not ok
  std::uint64_t blocks = 0, bytes = 0, inflight = 0, files = 0;
  std::uint64_t unsynced = 0;       // stored, but after the last sync of a file that could not be sealed
  std::uint64_t taken_back = 0;     // how often it took Blocks again after it was full or had failed
  std::vector<AwayLine> away = {};  // when, the latest of them
  WriteLatency write_latency_ns = {};
  std::optional<WriteDurations> write_durations = {};  // 0.2.0 did not write it
  std::optional<RemovedLine> removed = {};             // if there is a retention
  OtherFields others = {};

  bool operator==(const DriveLine&) const = default;
};

// A directory to which sealed files are moved (--archive).
struct ArchiveLine {
  std::string path;
  std::string state;                                // ok full failed slow
  std::string why = {};                             // what it said, if not ok
  std::uint64_t files = 0, packets = 0, bytes = 0;  // moved there, of this capture and of earlier ones
  OtherFields others = {};

  bool operator==(const ArchiveLine&) const = default;
};

// Where the Blocks of all writers are. The writers are looked at one after another while Blocks move, so the sums are
// not of one moment.
struct BlocksLine {
  std::uint64_t free = 0;  // in no one's hands
  std::uint64_t open = 0;  // being filled, on their way to a writer lcore, or kept for another drive
  std::uint64_t full = 0;  // handed to a drive, and not on it yet
  OtherFields others = {};

  bool operator==(const BlocksLine&) const = default;
};

struct LcoreLine {
  unsigned lcore = 0;
  std::string role;  // "rx" or "writer"
  double busy = 0;   // share of its polls that found work, 0..1
  std::uint64_t packets = 0;
  std::uint64_t waits = 0;  // rx: Bursts that waited for a Handoff; writer: rounds that waited for a Block
  // Of its time since the start, how much it slept as it had nothing to do, and how many sleeps took too long to lose
  // nothing at line rate. 0.2.0 did not write them, and had lcores poll.
  std::uint64_t asleep_ns = 0, overslept = 0;
  // TSC cycles by stage; empty unless they are counted.
  std::vector<std::pair<std::string, std::uint64_t>> cycles = {};
  OtherFields others = {};

  bool operator==(const LcoreLine&) const = default;
};

// What the --on-seal command did.
struct OnSealLine {
  std::uint64_t done = 0;     // files it succeeded for
  std::uint64_t failed = 0;   // runs that did not succeed
  std::uint64_t pending = 0;  // files it has not succeeded for yet
  OtherFields others = {};

  bool operator==(const OnSealLine&) const = default;
};

// What the tables of flows hold and gave away, with --flows or --cutoff. Every IP packet is in `packets`, and in one
// record: those that are open, written, lost or unwritten.
struct FlowsLine {
  std::uint64_t packets = 0;       // of IP, looked at
  std::uint64_t not_ip = 0;        // packets of no flow
  std::uint64_t open = 0;          // records, now
  std::uint64_t ended = 0;         // records
  std::uint64_t full = 0;          // that ended because there was no room; part of `ended`
  std::uint64_t lost = 0;          // that had to make room while the way to the files was full; part of `ended`
  std::uint64_t lost_packets = 0;  // which were in these
  std::uint64_t written = 0;       // into files, sealed or still open; part of `ended`, with --flows only
  std::uint64_t written_packets = 0;
  std::uint64_t unwritten = 0;  // that the directory did not take; part of `ended`
  std::uint64_t files = 0;      // sealed
  OtherFields others = {};

  bool operator==(const FlowsLine&) const = default;
};

// A bound on the error of packet times against UTC since the line before; nullopt: not known.
struct ClockBound {
  std::string source;      // what stamps packets: tsc, hw (the NICs' clocks), mixed
  std::string discipline;  // what keeps the system's clock on UTC: kernel (set by any daemon), none; empty: not known
  // The bound: line_error_ns + kernel_max_error_ns + longest_sleep_ns.
  std::optional<std::uint64_t> error_ns = {};
  std::optional<std::uint64_t> line_error_ns = {};              // most, of the stamping clock against the system's
  std::optional<std::uint64_t> kernel_max_error_ns = {};        // most, of the system's clock against UTC
  std::optional<std::uint64_t> kernel_estimated_error_ns = {};  // the same, by the kernel's estimate
  // The longest sleep of an RX lcore that stamps: a packet that came meanwhile may have come at any time of it. 0.2.0
  // did not write it, and had lcores poll.
  std::uint64_t longest_sleep_ns = 0;
  OtherFields others = {};

  bool operator==(const ClockBound&) const = default;
};

// Messages that could not be written to standard error since the line before.
struct UnsaidLine {
  std::vector<std::string> texts;  // the first few
  std::uint64_t more = 0;          // how many others

  bool operator==(const UnsaidLine&) const = default;
};

// The books of a capture at one moment: plain numbers, since its start.
struct LedgerLine {
  Timestamp time;
  std::uint64_t elapsed_ns = 0;
  bool final = false;
  std::string ended_by;  // why the capture ended; final line only
  std::vector<PortLine> ports;
  Totals totals;
  std::vector<StageLine> stages;  // from port to drive; 0.1.0 did not write them
  std::string imbalance;          // what does not add up, in a sentence; empty if everything does
  std::vector<DriveLine> drives;
  std::vector<ArchiveLine> archives;  // in the order in which they are filled; 0.2.0 had none
  std::optional<BlocksLine> blocks;   // if there are writer lcores; 0.2.0 did not write it
  std::vector<LcoreLine> lcores;
  std::optional<ClockBound> clock;    // 0.1.0 did not write it
  std::vector<GapLine> gaps;          // of all ports, in order of time
  std::optional<OnSealLine> on_seal;  // if there is such a command
  std::optional<FlowsLine> flows;     // if there are tables of flows
  UnsaidLine unsaid;
  std::uint64_t lines_gone = 0;  // removed in front of this one, which then is the first of its file
  OtherFields others;

  bool operator==(const LedgerLine&) const = default;
};

// One line of JSON, no newline. In text that is not UTF-8, U+FFFD replaces what JSON cannot hold.
std::string encode_ledger_line(const LedgerLine& line);

// Anything that is missing or of another kind is an error that names it, except what 0.1.0 did not write (see
// README.md). The caller bounds the length (see JsonText).
std::expected<LedgerLine, std::string> decode_ledger_line(std::string_view text);
LedgerLine decode_ledger_line(JsonFields& fields);  // problems are the text's

}  // namespace wirespool::format
