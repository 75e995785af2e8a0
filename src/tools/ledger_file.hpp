// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "format/capture_file.hpp"
#include "stats/losses.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

// The part of a ledger line that the reading tools keep.
struct LedgerPoint {
  Timestamp time;
  stats::Losses losses;                          // since the capture's start
  std::optional<format::ClockBound> clock = {};  // since the line before; nullopt: it does not say
};

// STEM-<start>.ledger.jsonl. Lines that make no sense are skipped, reported and counted; the last one may be cut by a
// crash.
struct LedgerFile {
  // In the order in which they were written: counters grow; times go back where the clock was set back. If there are
  // very many, an even selection.
  std::vector<LedgerPoint> points;
  std::vector<std::string> problems;  // the first few with their line; the others only counted
  std::vector<format::GapLine> gaps;  // when ports were away, up to the last line
  std::uint64_t lines_gone = 0;       // removed before the first one, together with the packets they were about
  std::uint64_t unbalanced = 0;       // lines that do not balance
  std::uint64_t skipped = 0;          // lines that make no sense
};
LedgerFile read_ledger(const std::string& path);

// A stretch of the ledger in which the capture's clock was not set back: lines [first, last]. It also covers times up
// to `slack_ns` before and after its lines: the longest pause between two of them.
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

// What was lost between two moments, by the lines: from the last one not after `from` to the first one not before `to`,
// in each era that overlaps them.
stats::Losses losses_between(const std::vector<LedgerPoint>& points, Timestamp from, Timestamp to);

// A bound on the error against UTC of packet times between two moments: the widest one of the lines that cover them, in
// each era that overlaps them. nullopt: no line says.
std::optional<format::ClockBound> clock_between(const std::vector<LedgerPoint>& points, Timestamp from, Timestamp to);

// STEM-<start>.capture.json.
std::expected<format::CaptureFile, std::string> read_capture_file(const std::string& path);

}  // namespace wirespool::tools
