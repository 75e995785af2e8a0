// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

#include "stats/counter.hpp"
#include "stats/histogram.hpp"

namespace wirespool::stats {

// TSC cycles of an lcore, by stage. Stay 0 unless built with -Dstage_cycles=true (capture/stage_clock.hpp).
struct RxCycles {
  Counter idle;     // polls that returned nothing
  Counter receive;  // receive calls that returned packets
  Counter stamp;    // time, stamps
  Counter deliver;  // counts, hand-off; with --handoff blocks the Blocks
};
struct WriterCycles {
  Counter idle;   // rounds that found nothing to do
  Counter build;  // Handoffs emptied into Blocks; with --handoff blocks only taken over
  Counter io;     // writes submitted and reaped
};

// The most of something since it was last taken; one thread says, another takes.
class Longest {
 public:
  void saw(std::uint64_t value) noexcept {
    auto most = most_.load(std::memory_order_relaxed);
    while (most < value && !most_.compare_exchange_weak(most, value, std::memory_order_relaxed)) {
    }
  }
  std::uint64_t take() noexcept { return most_.exchange(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> most_{0};
};

// How an lcore with nothing to do slept (--idle adaptive).
struct Sleeps {
  Counter asleep_ns;   // altogether
  Counter overslept;   // sleeps after which something would have been full, had packets come at line rate
  Longest longest_ns;  // a sleep
};

// What an lcore itself finds in its own data between two pieces of work, so that nothing moves meanwhile: levels, not
// counts.
struct Audit {
  Counter held;     // packets that are there, counted Block by Block (two's complement: see SpoolWriter::held)
  Counter missing;  // taken in, but neither handed on nor there (two's complement: negative if there are too many)

  void found(std::uint64_t in, std::uint64_t out, std::int64_t there) noexcept {
    held.set(static_cast<std::uint64_t>(there));
    missing.set(in - out - static_cast<std::uint64_t>(there));
  }
};

// The counters of one RX lcore, written by it alone. README.md says what each means and what to do when it is not zero.
struct alignas(64) RxCounters {
  Counter received;        // packets taken from its RxQueues
  Counter received_bytes;  // wirelen of these
  Counter ended_early;     // ended here: --until rx, or --until block with --handoff blocks
  Counter filtered;        // left out by --filter
  Counter cut;             // left out by --cutoff-then nothing: behind the first bytes of their flows
  Counter headers_only;    // of which only the headers are kept: --cutoff-then headers
  Counter not_ip;          // packets of no flow, where flows are followed
  Counter sliced;          // handed over without their payload, as --slice asks
  Counter trimmed;         // the same, under pressure (--when-full trim)
  Counter handed;          // given to a Handoff: one by one, or in full Blocks
  Counter drop_handoff;    // did not fit into any Handoff
  Counter drop_drive;      // no drive left to build Blocks for (--handoff blocks)
  Counter beyond_limit;    // came in the Burst that reached --packets; not in `received`
  Counter polls;           // receive calls
  Counter empty_polls;     // that returned nothing
  Counter handoff_waits;   // Bursts that had to wait for room (--when-full wait)
  Audit audit;             // a hundred times a second, and at the end
  Counter waiting;  // 1 while a Burst waits (a level, not a count): the lcore does not poll then, so an idle link would
                    // not be noticed
  Sleeps sleeps;
  RxCycles cycles;
};

// The counters of one writer lcore, written by it alone.
struct alignas(64) WriterCounters {
  Counter stored;        // packets whose Block, and all Blocks before it, are on a drive
  Counter stored_bytes;  // caplen of these
  Counter ended_early;   // ended here: --until handoff or block
  Counter taken;         // from the Handoffs: one by one, or in full Blocks
  Counter drop_drive;    // no drive could take them
  Counter rehomed;       // stored on another drive than first meant (already in `stored`)
  Counter rounds;        // turns of its loop
  Counter idle_rounds;   // that found nothing to do
  Counter block_waits;   // rounds with packets waiting for an empty Block
  Counter free_blocks;   // a level: Blocks in no one's hands, counted with the audit
  Audit audit;           // ten times a second, and at the end
  Sleeps sleeps;
  WriterCycles cycles;
};

// The counters of one drive, as one writer lcore sees it.
struct alignas(64) DriveCounters {
  Counter blocks;           // writes completed
  Counter bytes;            // bytes of these, padding included
  Counter inflight;         // writes submitted and not completed (a level, not a count)
  Counter files;            // SpoolFiles begun
  Counter waits;            // times a Block found as many writes under way as there may be; a Block may count often
  Histogram write_latency;  // submit to reap, ns
};

}  // namespace wirespool::stats
