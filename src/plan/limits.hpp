// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::plan {

// Limits of the process (getrlimit(2)), and what it uses already.
struct ProcessLimits {
  std::uint64_t descriptors = ~std::uint64_t{0};
  std::uint64_t file_bytes = ~std::uint64_t{0};
  std::uint64_t open_descriptors = 0;
};

// The most descriptors that a capture opens after its plan was made.
std::uint64_t descriptors_needed(const CapturePlan& plan);

// Limits that would make drives fail in the middle of a capture. The first is checked before EAL is started: its own
// files are under that limit too.
std::vector<Error> check_file_size(const CaptureConfig& config, const ProcessLimits& limits);
std::vector<Error> check_descriptors(const CapturePlan& plan, const ProcessLimits& limits);

}  // namespace wirespool::plan
