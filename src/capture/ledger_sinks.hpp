// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "capture/ledger_sink.hpp"
#include "capture/outputs.hpp"
#include "plan/capture_plan.hpp"
#include "storage/speaker.hpp"

namespace wirespool::capture {

// Those who are told of the ledger besides the service manager (ServiceWatch), by what was asked for (--stats,
// --output); first the files, which take longest at the end. What they refer to outlives them.
struct LedgerSinks {
  std::vector<std::unique_ptr<LedgerSink>> all;
  storage::Speaker* people;  // where the plan is told: `out` if people read it, else `err`
};
LedgerSinks choose_ledger_sinks(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs, storage::Speaker& out,
                                storage::Speaker& err);

}  // namespace wirespool::capture
