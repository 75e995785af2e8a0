// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <variant>

#include "cli/parse.hpp"
#include "plan/capture_config.hpp"
#include "plan/eal_args.hpp"

namespace wirespool::cli {

struct CaptureRequest {
  plan::CaptureConfig config;
  plan::EalArgs eal_args;  // as given: in front of "--", else `eal` of the configuration file
};

// The command's page: the table's options, and --config.
options::Page capture_page();

// `wirespool capture`'s arguments, read but not yet validated.
std::variant<CaptureRequest, Stop> read_capture_args(const Args& args);

}  // namespace wirespool::cli
