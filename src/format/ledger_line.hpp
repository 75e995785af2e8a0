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

// What an RxQueue of a port gave.
struct QueueLine {
  unsigned queue = 0;
  std::uint64_t received = 0, received_bytes = 0;
  OtherFields others = {};

  bool operator==(const QueueLine&) const = default;
};

struct PortLine {
  unsigned port = 0;
  std::string name;
  std::uint64_t received = 0, received_bytes = 0;
  // Frames that were lost before they were received; nullopt: nobody counts them here, and not_counted says why.
  std::optional<std::uint64_t> nic_missed = 0;  // the device had no free descriptor
  std::optional<std::uint64_t> nic_errors = 0;  // the device refused the frame
  std::optional<std::uint64_t> no_mbuf = 0;     // the driver found no free mbuf
  // Only where there is such a counter.
  std::optional<std::uint64_t> nic_other = {};       // lost in the device, by counters that only its driver has
  std::optional<std::uint64_t> refills_failed = {};  // attempts of the driver to refill its ring: no packets
  std::optional<std::uint64_t> stamps_refused = {};  // the NIC's, that cannot be: the packets got the poll's time
  std::optional<std::uint64_t> cut_by_driver = {};   // stored without their end, which the driver did not pass on
  std::vector<std::pair<std::string, std::string>> not_counted = {};  // which counter, and why
  bool stats_failed = false;  // the device did not answer: its counters are those of the last time it did
  std::vector<std::pair<std::string, std::uint64_t>> xstats = {};  // at the end: what else sounds like a loss, by name
  std::vector<QueueLine> queues = {};  // their sums are received and received_bytes; 0.2.0 did not write them
  OtherFields others = {};

  bool operator==(const PortLine&) const = default;
};

// A time in which a port gave nothing because it had been reset.
struct GapLine {
  unsigned port = 0;
  Timestamp from;
  std::optional<Timestamp> to;  // nullopt: it has not come back
  std::string why;
  OtherFields others = {};

  bool operator==(const GapLine&) const = default;
};

struct Totals {
  std::uint64_t received = 0, received_bytes = 0;
  std::uint64_t ended_early = 0;  // --until; 0.1.0 wrote it as `filtered`
  std::uint64_t filtered = 0;     // --filter
  std::uint64_t cut = 0;          // --cutoff-then nothing; 0.1.0 did not write it, and cut nothing
  std::uint64_t stored = 0, stored_bytes = 0;
  std::uint64_t trimmed = 0;
  std::uint64_t drop_handoff = 0, drop_drive = 0;
  std::int64_t in_flight = 0;
  std::optional<std::uint64_t> lost = {};  // 0.1.0 did not write it
  std::uint64_t beyond_limit = 0, rehomed = 0;
  OtherFields others = {};

  bool operator==(const Totals&) const = default;
};

// One stretch of the way from port to drive: what was counted there, and what should be there and is not.
struct StageLine {
  std::string stage;             // rx handoff writer
  std::string unit = "packets";  // or messages: Blocks and tails of --handoff blocks
  std::int64_t in_flight = 0;    // there
  std::int64_t imbalance = 0;    // came in, did not go on, and is not there; negative: too much is
  std::string where = {};        // the first place with an imbalance
  OtherFields others = {};

  bool operator==(const StageLine&) const = default;
};

struct WriteLatency {
  std::uint64_t p50 = 0, p99 = 0, max = 0;  // ns
  OtherFields others = {};

  bool operator==(const WriteLatency&) const = default;
};

// How long all writes took together, and how many of them how long: counts[i] less than 2^(first_bits + i) ns and not
// less than half of that, the first all that were faster. Zeros at the end are left out.
struct WriteDurations {
  static constexpr unsigned first_bits = 14, last_bits = 34;  // 16 us, 17 s; one more: whatever took longer
  std::uint64_t sum_ns = 0;
  std::vector<std::uint64_t> counts = {};
  OtherFields others = {};

  bool operator==(const WriteDurations&) const = default;
};

// What retention took away from a drive, of this capture and of earlier ones.
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
  std::uint64_t unsynced = 0;  // stored after the last sync of a file it could not seal
  WriteLatency write_latency_ns = {};
  std::optional<WriteDurations> write_durations = {};  // 0.2.0 did not write it
  std::optional<RemovedLine> removed = {};             // if there is a retention
  OtherFields others = {};

  bool operator==(const DriveLine&) const = default;
};

// Where the Blocks of all writers are. They are looked at one writer after the other while they move.
struct BlocksLine {
  std::uint64_t free = 0;  // nobody's
  std::uint64_t open = 0;  // being filled, on their way to a writer lcore, or kept for another drive
  std::uint64_t full = 0;  // left to a drive, and not on it yet
  OtherFields others = {};

  bool operator==(const BlocksLine&) const = default;
};

struct LcoreLine {
  unsigned lcore = 0;
  std::string role;  // "rx" or "writer"
  double busy = 0;   // share of its polls that found work, 0..1
  std::uint64_t packets = 0;
  std::uint64_t waits = 0;  // rx: Bursts that waited for a Handoff; writer: rounds that waited for a Block
  // Of the TSC, by stage; empty unless they are counted.
  std::vector<std::pair<std::string, std::uint64_t>> cycles = {};
  OtherFields others = {};

  bool operator==(const LcoreLine&) const = default;
};

// What --on-seal did.
struct OnSealLine {
  std::uint64_t done = 0;     // files it succeeded for
  std::uint64_t failed = 0;   // runs that did not succeed
  std::uint64_t pending = 0;  // files it has not succeeded for yet
  OtherFields others = {};

  bool operator==(const OnSealLine&) const = default;
};

// How far a packet's time may be from UTC; nullopt: not known. Since the line before.
struct ClockBound {
  std::string source;  // what stamps packets: tsc, hw (the NICs' clocks), mixed
  std::string
      discipline;  // who keeps the system's clock on UTC: kernel (whoever told it), none; empty: it does not say
  std::optional<std::uint64_t> error_ns = {};                   // the bound: line_error_ns and kernel_max_error_ns
  std::optional<std::uint64_t> line_error_ns = {};              // the stamping clock from the system's, at most
  std::optional<std::uint64_t> kernel_max_error_ns = {};        // the system's clock from UTC, at most
  std::optional<std::uint64_t> kernel_estimated_error_ns = {};  // and by its own estimate
  OtherFields others = {};

  bool operator==(const ClockBound&) const = default;
};

// Messages that could not be written to standard error since the line before.
struct UnsaidLine {
  std::vector<std::string> texts;  // the first few
  std::uint64_t more = 0;          // that many others

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
  std::string imbalance;          // what does not add up, in a sentence; empty if all does
  std::vector<DriveLine> drives;
  std::optional<BlocksLine> blocks;  // if writer lcores have any; 0.2.0 did not write it
  std::vector<LcoreLine> lcores;
  std::optional<ClockBound> clock;    // 0.1.0 did not write it
  std::vector<GapLine> gaps;          // of all ports, in order of time
  std::optional<OnSealLine> on_seal;  // if there is such a command
  UnsaidLine unsaid;
  std::uint64_t lines_gone = 0;  // before this one, which then is the first of its file
  OtherFields others;

  bool operator==(const LedgerLine&) const = default;
};

// One line of JSON, no newline. Text that is not UTF-8 is written with U+FFFD in place of what JSON cannot hold.
std::string encode_ledger_line(const LedgerLine& line);

// Anything that is missing or of another kind is an error that names it, but for what README.md says 0.1.0 did not
// write. The caller bounds the length (see JsonText).
std::expected<LedgerLine, std::string> decode_ledger_line(std::string_view text);
LedgerLine decode_ledger_line(JsonFields& fields);  // problems are the text's

}  // namespace wirespool::format
