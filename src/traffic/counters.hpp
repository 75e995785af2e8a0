// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "stats/counter.hpp"
#include "traffic/delays.hpp"

namespace wirespool::traffic {

// What one thread sends; written by it alone, read by any.
struct alignas(64) SendCounters {
  stats::Counter tried;               // packets that were due and offered
  stats::Counter sent, sent_bytes;    // the Wire took them; bytes of frames, without FCS
  stats::Counter dropped;             // the Wire did not take them, and they were given up
  stats::Counter warm_up;             // sent to warm up, and in no other counter
  stats::Counter unsendable;          // replay: longer or shorter than the interface takes
  stats::Counter cut;                 // replay: sent as short as the capture had kept them
  stats::Counter began_ns, ended_ns;  // CLOCK_MONOTONIC: of what is counted; 0: not yet
  Delays lateness;                    // how long after its time a burst was offered
  Delays gap_error;                   // replay: by how much the gap between two packets was wrong
};

// What one thread receives.
struct alignas(64) ReceiveCounters {
  stats::Counter received, received_bytes;  // meant for this end; bytes of frames, without FCS
  stats::Counter warm_up;                   // meant for this end, sent to warm up, and in no other counter
  stats::Counter foreign;                   // not meant for this end
  stats::Counter corrupt;                   // received, but with another payload than was sent
  stats::Counter expected, arrived;         // of their numbers: lost is the difference
  stats::Counter duplicates, reordered;     // came again; came after one with a higher number of its flow
  stats::Counter began_ns, ended_ns;        // CLOCK_MONOTONIC: of the first and the last one received; 0: none yet
  Delays delay;                             // from when it was meant to be sent until it was received
};

}  // namespace wirespool::traffic
