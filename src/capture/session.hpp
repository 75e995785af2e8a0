// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "plan/capture_config.hpp"
#include "plan/capture_plan.hpp"
#include "storage/speaker.hpp"

namespace wirespool::capture {

// How a capture ended: the exit code, and what was wrong, for cli to print.
struct Outcome {
  int exit_code = 0;
  std::vector<Error> problems = {};
  std::string result = {};  // of --dry-run, likewise
};

// A whole capture on the calling thread: EAL, plan, run until told to stop (SIGINT, SIGTERM or a limit), drain,
// seal, final ledger. Statistics go to `out`, notices to `err`. Once per process (EAL cannot be started twice).
Outcome run_capture(const plan::CaptureConfig& config, const std::vector<std::string>& eal_args, storage::Speaker& out,
                    storage::Speaker& err);

}  // namespace wirespool::capture
