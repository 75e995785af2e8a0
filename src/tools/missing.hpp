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

// What captures know that they have lost in a time: packets that were on the wire and are in no file, whatever a filter
// asks for. `stretches` and `losses` come from whole intervals of ledgers, so that the first and the last one may reach
// beyond that time.
struct Missing {
  unsigned captures = 0;  // with lines of that time
  stats::Losses losses;
  std::vector<MissingStretch> stretches;  // in order of time; those of one capture that touch are one
  std::vector<format::GapLine> gaps;      // when a port gave nothing: how many packets that was nobody knows
  std::vector<std::string> untold;        // captures that do not say, or not of all of it
  bool files_without = false;             // some SpoolFiles are of no capture that is there
};

// Of the captures whose files these are. Reads the ledgers of those that lost something, and of those that did not end.
Missing missing_between(const Spool& spool, Timestamp from, Timestamp to);

// One line, without a newline: how many, by cause, and when. Empty if there were files of other programs only, or none.
std::string render(const Missing& missing);

}  // namespace wirespool::tools
