// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "stats/losses.hpp"
#include "wirespool/spool.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

// What was lost between two lines of a ledger.
struct MissingStretch {
  Timestamp from, to;
  stats::Losses losses;
};

// What captures know they lost in a span of time: packets that were on the wire and are in no file, whatever a filter
// selects. `stretches` and `losses` come from whole intervals of ledgers, so the first and the last may reach beyond
// that time.
struct Missing {
  unsigned captures = 0;  // with lines of that time
  stats::Losses losses;
  std::vector<MissingStretch> stretches;  // in order of time; those of one capture that touch are one
  std::vector<format::GapLine> gaps;      // when a port delivered nothing: how many packets that cost is not known
  std::vector<std::string> untold;        // captures that do not say, or not for the whole time
  bool files_without = false;             // some SpoolFiles belong to no known capture
};

// For the captures of these files. Reads the ledgers of those that lost something, and of those without an end.
Missing missing_between(const Spool& spool, Timestamp from, Timestamp to);

// One line, without a newline: how many, by cause, and when. Empty if there were only files of other programs, or none.
std::string render(const Missing& missing);

}  // namespace wirespool::tools
