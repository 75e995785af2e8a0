// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filter/program.hpp"
#include "machine/user.hpp"
#include "plan/capture_config.hpp"
#include "plan/hugepages.hpp"
#include "plan/machine.hpp"
#include "serve/metrics_service.hpp"
#include "serve/spool_service.hpp"
#include "storage/speaker.hpp"

namespace wirespool::capture {

// What the kernel says of the machine, asked once, before EAL has pinned this thread and taken its memory.
struct Ground {
  std::vector<plan::MachineDrive> drives;          // in --output order; none if no packet goes to a drive
  std::vector<plan::HugepagePool> hugepages;       // as free as they were before EAL took its own
  std::vector<unsigned> cpus;                      // this process may run on
  std::optional<filter::Program> filter;           // of --filter
  std::unique_ptr<serve::MetricsService> metrics;  // of --metrics, its address taken; nullptr: not asked for
  std::unique_ptr<serve::SpoolService> queries;    // of --serve, alike
  std::optional<machine::User> user;               // of --user; not become yet
};

// Checks all that can be checked before EAL starts: the configuration, drives that hang or cannot be used (a trial
// write each, as --user if there is one), whether the addresses for --metrics and --serve are free, limits of this
// process, EAL arguments that would make it abort. A drive that is waited for, and later each query of --serve, is
// reported on `err`. Problems: all of the first kind that has any.
std::expected<Ground, std::vector<Error>> look_before_eal(const plan::CaptureConfig& config,
                                                          const std::vector<std::string>& eal_args,
                                                          storage::Speaker& err);

}  // namespace wirespool::capture
