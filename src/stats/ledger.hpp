// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::stats {

// The books of a capture at one moment: plain numbers, since the start. What each means is in README.md.
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

  std::uint64_t lost() const {
    return nic_missed.value_or(0) + nic_errors.value_or(0) + no_mbuf.value_or(0) + nic_other.value_or(0) +
           cut_by_driver.value_or(0);
  }
};

// A time in which a port gave nothing because it had been reset.
struct GapLine {
  unsigned port = 0;
  Timestamp from;
  std::optional<Timestamp> to;  // nullopt: it has not come back
  std::string why;
};

struct Totals {
  std::uint64_t received = 0, received_bytes = 0;
  std::uint64_t ended_early = 0;  // --until
  std::uint64_t filtered = 0;     // --filter
  std::uint64_t stored = 0, stored_bytes = 0;
  std::uint64_t trimmed = 0;
  std::uint64_t drop_handoff = 0, drop_drive = 0;
  std::uint64_t beyond_limit = 0, rehomed = 0;
  // What has not come to an end yet; Ledger::in_flight() without what is missing.
  std::int64_t left() const {
    return static_cast<std::int64_t>(received - ended_early - filtered - stored - drop_handoff - drop_drive);
  }
};

// One stretch of the way from port to drive: what was counted there, and what should be there and is not.
struct StageLine {
  std::string stage;             // rx handoff writer
  std::string unit = "packets";  // or messages: Blocks and tails of --handoff blocks
  std::int64_t in_flight = 0;    // there
  std::int64_t imbalance = 0;    // came in, did not go on, and is not there; negative: too much is
  std::string where = {};        // the first place with an imbalance

  void found(std::int64_t there, std::int64_t missing, const std::string& place);
};

struct DriveLine {
  std::string path;
  std::string state;  // ok full failed
  std::string why;    // what the drive said, if not ok
  std::uint64_t blocks = 0, bytes = 0, inflight = 0, files = 0;
  std::uint64_t unsynced = 0;  // stored after the last sync of a file it could not seal
  std::uint64_t p50_ns = 0, p99_ns = 0, max_ns = 0;
};

struct LcoreLine {
  unsigned lcore = 0;
  std::string role;  // "rx" or "writer"
  double busy = 0;   // share of its polls that found work, 0..1
  std::uint64_t packets = 0;
  std::uint64_t waits = 0;  // rx: Bursts that waited for a Handoff; writer: rounds that waited for a Block
  std::vector<std::pair<std::string, std::uint64_t>> cycles =
      {};  // of the TSC, by stage; empty unless they are counted
};

// What --on-seal did.
struct OnSealLine {
  std::uint64_t done = 0;     // files it succeeded for
  std::uint64_t failed = 0;   // runs that did not succeed
  std::uint64_t pending = 0;  // files it has not succeeded for yet
};

// Messages that could not be written to standard error since the line before.
struct UnsaidLine {
  std::vector<std::string> texts;  // the first few
  std::uint64_t more = 0;          // that many others
};

struct Ledger {
  Timestamp time;
  std::uint64_t elapsed_ns = 0;
  bool final = false;
  std::string ended_by;  // why the capture ended; final line only
  std::vector<PortLine> ports;
  Totals totals;
  std::vector<StageLine> stages;  // from port to drive
  std::vector<DriveLine> drives;
  std::vector<LcoreLine> lcores;
  std::optional<OnSealLine> on_seal;  // if there is such a command
  std::vector<GapLine> gaps;          // of all ports, in order of time
  UnsaidLine unsaid;

  std::uint64_t lost() const;  // of all causes that count packets
  bool may_have_lost() const;  // more than lost() says: a device that did not answer, a gap
  std::int64_t in_flight() const;

  // What does not add up, empty if all does: no stage misses anything; received = ended_early + filtered + stored +
  // drop_handoff + drop_drive + in_flight, with in_flight never negative and 0 in the final line; then the ports'
  // received add up to the total too.
  std::string imbalance() const;
};

// One line, no newline (interface.md, "The ledger").
std::string to_json(const Ledger& ledger);

// For people: one line of rates since `before`, and at the end a table of everything.
std::string rates_line(const Ledger& ledger, const Ledger& before);  // shorter, for a service manager
std::string console_line(const Ledger& ledger, const Ledger& before);
std::string console_summary(const Ledger& ledger);

}  // namespace wirespool::stats
