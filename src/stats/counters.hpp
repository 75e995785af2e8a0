// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "stats/counter.hpp"
#include "stats/histogram.hpp"

namespace wirespool::stats {

// TSC cycles of an lcore, by stage. Stay 0 unless built with -Dstage_cycles=true (capture/stage_clock.hpp).
struct RxCycles {
  Counter idle;     // polls that returned nothing
  Counter receive;  // receive calls that returned packets
  Counter stamp;    // time, stamps, counts
  Counter deliver;  // hand-off; with --handoff blocks the Blocks
};
struct WriterCycles {
  Counter idle;   // rounds that found nothing to do
  Counter build;  // Handoffs emptied into Blocks; with --handoff blocks only taken over
  Counter io;     // writes submitted and reaped
};

// One RX lcore's, written by it alone. README.md says what each means and what to do when it is not zero.
struct alignas(64) RxCounters {
  Counter received;        // packets taken from its RxQueues
  Counter received_bytes;  // wirelen of these
  Counter filtered;        // left out because it was asked for: --until rx ends here
  Counter drop_handoff;    // did not fit into any Handoff
  Counter drop_drive;      // no drive left to build Blocks for (--handoff blocks)
  Counter beyond_limit;    // came in the Burst that reached --packets; not in `received`
  Counter polls;           // receive calls
  Counter empty_polls;     // that returned nothing
  Counter handoff_waits;   // Bursts that had to wait for room (--when-full wait)
  Counter waiting;  // 1 while one waits (a level, not a count): the lcore does not poll, so nobody knows of idle links
  RxCycles cycles;
};

// One writer lcore's, written by it alone.
struct alignas(64) WriterCounters {
  Counter stored;        // packets whose Block is on a drive, all Blocks before it too
  Counter stored_bytes;  // caplen of these
  Counter filtered;      // left out because it was asked for: --until handoff|block ends here
  Counter drop_drive;    // no drive could take them
  Counter rehomed;       // stored on another drive than first meant (already in `stored`)
  Counter rounds;        // turns of its loop
  Counter idle_rounds;   // that found nothing to do
  Counter block_waits;   // rounds with packets waiting for an empty Block
  WriterCycles cycles;
};

// One drive's, as one writer lcore sees it.
struct alignas(64) DriveCounters {
  Counter blocks;           // writes completed
  Counter bytes;            // bytes of these, padding included
  Counter inflight;         // writes submitted and not completed (a level, not a count)
  Counter files;            // SpoolFiles begun
  Histogram write_latency;  // submit to reap, ns
};

}  // namespace wirespool::stats
