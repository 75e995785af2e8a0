// SPDX-License-Identifier: BSD-3-Clause
#include "cli/reading.hpp"

#include "cli/errors.hpp"
#include "cli/output.hpp"

namespace wirespool::cli {

int print_problem(const tools::ToolProblem& problem) {
  const auto& error = problem.error;
  tell(error_line(error.what, error.why, error.what_to_do));
  return problem.kind == tools::ToolProblem::Kind::wrong_use ? Exit::wrong_use : Exit::machine_not_ready;
}

void print_notices(const std::vector<std::string>& notices) {
  for (const auto& notice : notices) tell(error_line(notice, "", ""));
}

}  // namespace wirespool::cli
