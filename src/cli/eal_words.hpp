// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "cli/parse.hpp"
#include "options/page.hpp"
#include "wirespool/error.hpp"

namespace wirespool::cli {

// The arguments of a command that starts DPDK.
struct SplitArgs {
  Args eal;  // EAL's options: those in front of "--"
  Args own;  // the command's; without "--", all are
};
SplitArgs split_at_dashes(const Args& args);

// To an option of ours in front of "--", EAL would answer with pages of its own help.
std::optional<Error> wrong_order(const Args& eal, const options::Page& page);

}  // namespace wirespool::cli
