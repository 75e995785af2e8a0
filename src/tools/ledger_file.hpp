// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

// What a capture lost, by cause.
struct Losses {
  std::uint64_t nic_missed = 0, nic_errors = 0, no_mbuf = 0, drop_handoff = 0, drop_drive = 0;

  std::uint64_t sum() const { return nic_missed + nic_errors + no_mbuf + drop_handoff + drop_drive; }
  Losses& operator+=(const Losses& other);
  Losses operator-(const Losses& other) const;  // none below zero
};

// One line of a ledger: the books of a capture at one moment, counted from its start.
struct LedgerPoint {
  Timestamp time;
  bool final = false;
  std::string ended_by;
  std::uint64_t received = 0, stored = 0, stored_bytes = 0, rehomed = 0;
  std::uint64_t left_out = 0;  // on request: ended_early, filtered and cut. To 0.1.0 `filtered` was what --until ended
  std::int64_t in_flight = 0;
  Losses losses;

  // What does not add up; empty if all does.
  std::string imbalance() const;
};

std::expected<LedgerPoint, std::string> parse_ledger_line(std::string_view line);

// STEM-<start>.ledger.jsonl. Lines that make no sense are left out and told; the last one may be cut by a crash.
struct LedgerFile {
  // As they were written: counters grow, times go back where the clock was set back. Of very many, evenly chosen ones.
  std::vector<LedgerPoint> points;
  std::vector<std::string> problems;  // the first ones by line, the others by number
  std::uint64_t unbalanced = 0;       // lines that do not balance
  std::uint64_t left_out = 0;         // lines that make no sense
};
LedgerFile read_ledger(const std::string& path);

// A stretch of the ledger in which the capture's clock was not set back: lines [first, last]. The times on both sides
// of its lines that it also stands for are at most `slack_ns` away, the longest pause between two of them.
struct Era {
  std::size_t first = 0, last = 0;
  Timestamp from, to;
  std::uint64_t slack_ns = 0;

  bool covers(Timestamp time) const {
    return time.ns + std::min(slack_ns, UINT64_MAX - time.ns) >= from.ns &&
           time.ns <= to.ns + std::min(slack_ns, UINT64_MAX - to.ns);
  }
};
std::vector<Era> eras_of(const std::vector<LedgerPoint>& points);

// What was lost between two moments, as far as the lines tell: from the last one not after `from` to the first one not
// before `to`, in each era that has to do with them.
Losses losses_between(const std::vector<LedgerPoint>& points, Timestamp from, Timestamp to);

// STEM-<start>.capture.json, as far as readers need it.
struct CaptureFacts {
  std::uint64_t drives = 0;
  std::optional<std::uint64_t> block_bytes;
  std::optional<std::uint32_t> snaplen;
  bool flow_index = false;           // --index flow
  bool on_seal = false;              // it had a command for sealed files
  std::optional<LedgerPoint> final;  // none: it still runs, or did not come to its end
};
std::expected<CaptureFacts, std::string> parse_capture_json(std::string_view text);
std::expected<CaptureFacts, std::string> read_capture_json(const std::string& path);

}  // namespace wirespool::tools
