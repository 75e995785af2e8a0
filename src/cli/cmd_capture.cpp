// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>

#include "cli/capture_options.hpp"
#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "plan/hugepages.hpp"
#include "tools/usable_cpus.hpp"

#ifdef WIRESPOOL_CAPTURE
#include "capture/session.hpp"
#endif

namespace wirespool::cli {
namespace {

// Everything that can be told before DPDK is started: EAL aborts over some of it, and all of it is told faster so.
std::vector<plan::Problem> problems_before_start(const CaptureRequest& request) {
  auto problems = plan::validate(request.config);
  const auto eal = plan::check_eal_args(request.eal_args, tools::usable_cpus());
  problems.insert(problems.end(), eal.begin(), eal.end());
  if (auto none = plan::check_any_hugepages(request.eal_args, plan::read_hugepages())) problems.push_back(*none);
  return problems;
}

#ifdef WIRESPOOL_CAPTURE

int run(const CaptureRequest& request) {
  if (const auto problems = problems_before_start(request); !problems.empty()) return print_problems(problems);
  const auto outcome = capture::run_capture(request.config, plan::complete_eal_args(request.eal_args), stdout, stderr);
  print_problems(outcome.problems);
  return outcome.exit_code;
}

#else

int run(const CaptureRequest& request) {
  auto problems = problems_before_start(request);
  problems.push_back({"capture", "this wirespool was built without DPDK", "build it with -Dcapture=enabled", true});
  return print_problems(problems);
}

#endif

}  // namespace

int cmd_capture(const Args& args) {
  const auto read = read_capture_args(args);
  if (const auto* stop = std::get_if<Stop>(&read)) return finish(*stop);
  return run(std::get<CaptureRequest>(read));
}

}  // namespace wirespool::cli
