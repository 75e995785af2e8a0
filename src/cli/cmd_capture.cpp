// SPDX-License-Identifier: BSD-3-Clause
#include "cli/capture_options.hpp"
#include "cli/commands.hpp"
#include "cli/errors.hpp"

#ifdef WIRESPOOL_CAPTURE
#include "capture/session.hpp"
#else
#include "plan/capture_plan.hpp"
#endif

namespace wirespool::cli {
namespace {

#ifdef WIRESPOOL_CAPTURE

int run(const CaptureRequest& request) {
  auto out = storage::Speaker::standard_output();
  auto err = storage::Speaker::standard_error();
  const auto outcome = capture::run_capture(request.config, request.eal_args, out, err);
  for (const auto& problem : outcome.problems) err.say(error_line(problem));
  return outcome.result.empty() ? outcome.exit_code : print(outcome.result, outcome.exit_code);
}

#else

// Errors in the arguments are wrong use here as well.
int run(const CaptureRequest& request) {
  if (const auto wrong = plan::validate(request.config); !wrong.empty()) return print_errors(wrong);
  return print_errors({{"capture", "this wirespool was built without DPDK", "build it with -Dcapture=enabled",
                        Error::Kind::not_ready}});
}

#endif

}  // namespace

std::vector<options::Page> capture_pages() { return {capture_page()}; }

int cmd_capture(const Args& args) {
  const auto read = read_capture_args(args);
  if (const auto* stop = std::get_if<Stop>(&read)) return finish(*stop);
  const auto& request = std::get<CaptureRequest>(read);
  return run(request);
}

}  // namespace wirespool::cli
