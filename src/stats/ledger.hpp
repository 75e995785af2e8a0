// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "format/ledger_line.hpp"
#include "stats/histogram.hpp"

namespace wirespool::stats {

// The sums of a ledger line. A writer closes its books; a reader asks what does not add up. Pure functions, any thread.

// One more place of a stage was looked at: `there` is in it, `missing` came in, did not go on and is not there.
void add_place(format::StageLine& stage, std::int64_t there, std::int64_t missing, const std::string& place);

// received, less all packets that came to an end and those that stages miss: what should be on its way.
std::int64_t in_flight(const format::LedgerLine& line);

// Fills in what follows from the other fields: totals.in_flight, totals.lost and imbalance.
void close_books(format::LedgerLine& line);

// What does not add up, empty if everything does: no stage misses anything; received = ended_early + filtered + cut +
// stored + drop_handoff + drop_drive + in_flight, with in_flight never negative and 0 in the final line; then the
// ports' received add up to the total too. If the numbers add up, the result is the line's own `imbalance`.
std::string imbalance(const format::LedgerLine& line);

// The wider of two bounds on packets' times: of two stretches of time, or of two clocks. What is unknown in either is
// unknown.
format::ClockBound wider(const format::ClockBound& a, const format::ClockBound& b);

// A histogram's counts by powers of two, as a drive's line has them, with the sum of its values.
format::WriteDurations write_durations(const std::array<std::uint64_t, Histogram::buckets>& counts,
                                       std::uint64_t sum_ns);

bool may_have_lost(const format::LedgerLine& line);  // more than `lost`: a device did not answer, a gap

}  // namespace wirespool::stats
