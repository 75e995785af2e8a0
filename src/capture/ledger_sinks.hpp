// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "capture/outputs.hpp"
#include "format/ledger_line.hpp"
#include "plan/capture_plan.hpp"
#include "serve/metrics_service.hpp"
#include "storage/speaker.hpp"

namespace wirespool::capture {

// A receiver of ledger lines. Which ones there are is chosen at start (choose_ledger_sinks); the Reporter hands each
// line to all of them, whatever they are, in their order. Control thread; only finish() may wait for long.
class LedgerSink {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~LedgerSink() = default;

  virtual void begin() {}  // the capture runs

  // An interval ended; the last line, once everything has ended, has `final`. `before`: the line before, or an empty
  // one.
  virtual void take(const format::LedgerLine& line, const format::LedgerLine& before) = 0;

  // To be called often between lines. Whether a person asked for the end.
  virtual bool look() { return false; }

  // Everything has ended: messages may follow, and then the last line.
  virtual void closing() {}

  // After the last line: waits until it is out, not beyond `end`. Whether it is kept somewhere.
  virtual bool finish([[maybe_unused]] Clock::time_point end) { return false; }
};

// Those who are told of the ledger besides the service manager (ServiceWatch), by what was asked for (--stats,
// --output, --metrics); first the files, which take longest at the end and must be there when the plan is told (on
// `out` if people read it, else on `err`). What they refer to outlives them. `metrics`: started; nullptr: nobody asked
// for it.
using LedgerSinks = std::vector<std::unique_ptr<LedgerSink>>;
LedgerSinks choose_ledger_sinks(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs, storage::Speaker& out,
                                storage::Speaker& err, serve::MetricsService* metrics);

}  // namespace wirespool::capture
