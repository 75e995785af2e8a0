// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "options/values.hpp"
#include "plan/plan_steps.hpp"
#include "plan/route.hpp"

namespace wirespool::plan {
namespace {

// Each Stream has a file open on each drive of each writer, and one sealed before it.
std::uint64_t two_files_of_each_lane(const CapturePlan& plan, unsigned drive) {
  const auto writers = std::ranges::count_if(
      plan.writers, [drive](const auto& writer) { return std::ranges::count(writer.drives, drive) != 0; });
  const auto lanes = static_cast<std::uint64_t>(writers) * std::max<std::size_t>(1, plan.streams.size());
  return 2 * lanes * plan.config.rotate_size;
}

void check_size(const CapturePlan& plan, unsigned drive, Findings& findings) {
  const auto least = two_files_of_each_lane(plan, drive);
  if (!plan.config.retain_size || *plan.config.retain_size >= least) return;
  findings.problems.push_back(
      {"--retain-size",
       fmt::format("{} is less than two files of {} for each of the Streams to {}",
                   options::format_size(*plan.config.retain_size), options::format_size(plan.config.rotate_size),
                   plan.drives[drive].path),
       fmt::format("give {} or more, or a smaller --rotate-size", options::format_size(least))});
}

void check_free(const CapturePlan& plan, const MachineDrive& machine, unsigned drive, Findings& findings) {
  if (!plan.config.retain_free || machine.total_bytes == 0) return;
  const auto wanted = policy::bytes_to_stay_free(limits_of(plan.config), machine.total_bytes);
  const auto least = two_files_of_each_lane(plan, drive);
  if (wanted < machine.total_bytes && machine.total_bytes - wanted >= least) return;
  findings.problems.push_back(
      {"--retain-free",
       fmt::format("{}: with {} of its {} free, there is no room for two files of {} for each Stream", machine.path,
                   options::format_share(*plan.config.retain_free), options::format_size(machine.total_bytes),
                   options::format_size(plan.config.rotate_size)),
       "give less, or a smaller --rotate-size"});
}

}  // namespace

policy::RetainLimits limits_of(const CaptureConfig& config) {
  return {.free = config.retain_free, .size_bytes = config.retain_size, .age_ns = config.retain_age_ns};
}

void check_retention(const Machine& machine, const CapturePlan& plan, Findings& findings) {
  for (unsigned drive = 0; drive < plan.drives.size(); ++drive) {
    check_size(plan, drive, findings);
    check_free(plan, machine.drives[drive], drive, findings);
  }
}

}  // namespace wirespool::plan
