// SPDX-License-Identifier: BSD-3-Clause
#include "plan/limits.hpp"

#include <fmt/format.h>

#include "options/values.hpp"
#include "plan/route.hpp"

namespace wirespool::plan {
namespace {

constexpr std::uint64_t files_of_a_lane = 3;     // being written, opened ahead, being sealed
constexpr std::uint64_t others_of_a_drive = 5;   // its directory, lock, ledger, and an index or a marker being written
constexpr std::uint64_t clients_of_metrics = 8;  // that are served at a time (serve/metrics_service.hpp)
constexpr std::uint64_t clients_of_queries = 256;  // those of serve/spool_service.hpp, and files of their queries
constexpr std::uint64_t others = 16;               // io_uring, --on-seal, clocks, what drivers open

}  // namespace

std::uint64_t descriptors_needed(const CapturePlan& plan) {
  const auto streams = plan.streams.size() + 1;  // and the re-homed packets'
  std::uint64_t needed = others + plan.drives.size() * others_of_a_drive;
  if (!plan.config.metrics.empty()) needed += clients_of_metrics;
  if (!plan.config.serve.empty()) needed += clients_of_queries;
  for (const auto& writer : plan.writers) needed += streams * writer.drives.size() * files_of_a_lane + 1;
  return needed;
}

std::vector<Error> check_file_size(const CaptureConfig& config, const ProcessLimits& limits) {
  if (!to_drives(config) || limits.file_bytes >= config.rotate_size) return {};
  return {{"limits",
           fmt::format("files of --rotate-size {} are not allowed, at most {}",
                       options::format_size(config.rotate_size), options::format_size(limits.file_bytes)),
           "ulimit -f unlimited, LimitFSIZE=infinity, or a smaller --rotate-size", Error::Kind::not_ready}};
}

std::vector<Error> check_descriptors(const CapturePlan& plan, const ProcessLimits& limits) {
  const auto needed = limits.open_descriptors + descriptors_needed(plan);
  if (limits.descriptors >= needed) return {};
  return {{"limits", fmt::format("{} file descriptors are needed, {} allowed", needed, limits.descriptors),
           fmt::format("ulimit -n {}, or LimitNOFILE={}", needed, needed), Error::Kind::not_ready}};
}

}  // namespace wirespool::plan
