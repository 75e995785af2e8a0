// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "storage/io_error.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// Why a tool did not do its work at all.
struct ToolProblem {
  enum class Kind { wrong_use, not_ready };
  Error error;
  Kind kind = Kind::wrong_use;
};

inline ToolProblem wrong_use(Error error) { return {std::move(error), ToolProblem::Kind::wrong_use}; }

inline ToolProblem not_ready(const storage::IoError& error, std::string what_to_do) {
  return {{error.what, std::generic_category().message(error.code), std::move(what_to_do)},
          ToolProblem::Kind::not_ready};
}

}  // namespace wirespool::tools
